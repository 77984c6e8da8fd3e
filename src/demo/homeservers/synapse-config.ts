// Owns what is in a homeserver.yaml of the demo and of the specs. Pure.
import type { Certificates } from './certificate-authority.ts';

export interface SynapseSettings {
  readonly serverName: string;
  /** Where browsers reach the client API. */
  readonly publicUrl: string;
  /** TLS, federation and OpenID; loopback only. */
  readonly federationPort: number;
  /** Clear text, client API; loopback only. */
  readonly clientPort: number;
  readonly folder: string;
  readonly certificates: Certificates;
  /** Paths of application service registrations. */
  readonly registrations: readonly string[];
  readonly registrationSecret: string;
  /** Messages per second and burst of ordinary users and of application services with `rate_limited: true`. Default: no limit that a person could reach. */
  readonly messageLimit?: RateLimit;
  /** Added last, to be able to say anything. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface RateLimit {
  readonly per_second: number;
  readonly burst_count: number;
}

const unlimited: RateLimit = { per_second: 10_000, burst_count: 10_000 };

export function synapseConfig(settings: SynapseSettings): Readonly<Record<string, unknown>> {
  const { folder, certificates } = settings;
  const listener = (port: number, tls: boolean, names: readonly string[]) => ({ port, tls, type: 'http', bind_addresses: ['127.0.0.1'], resources: [{ names }] });
  return {
    server_name: settings.serverName,
    public_baseurl: settings.publicUrl,
    listeners: [listener(settings.federationPort, true, ['federation']), listener(settings.clientPort, false, ['client'])],
    tls_certificate_path: certificates.certificate,
    tls_private_key_path: certificates.key,
    federation_custom_ca_list: [certificates.authority],
    trusted_key_servers: [],
    // Everything is on the loopback address here, which a homeserver refuses to talk to by default.
    ip_range_blacklist: [],
    signing_key_path: `${folder}/signing.key`,
    database: { name: 'sqlite3', args: { database: `${folder}/homeserver.db` } },
    media_store_path: `${folder}/media`,
    log_config: `${folder}/log.yaml`,
    report_stats: false,
    macaroon_secret_key: settings.registrationSecret,
    form_secret: settings.registrationSecret,
    registration_shared_secret: settings.registrationSecret,
    // Hashing passwords well is slow on purpose; the accounts here are not worth it.
    bcrypt_rounds: 4,
    app_service_config_files: settings.registrations,
    presence: { enabled: false },
    url_preview_enabled: false,
    // A neighbour that restarts must be found again within seconds, not minutes.
    federation: { client_timeout: '10s', max_short_retry_delay: '1s', max_long_retry_delay: '1s', destination_min_retry_interval: '1s', destination_max_retry_interval: '2s' },
    ...rateLimits(settings.messageLimit ?? unlimited),
    // Bridges of different organisations reach each other through their homeservers (MSC4512).
    experimental_features: { msc4512_enabled: true },
    ...settings.extra,
  };
}

function rateLimits(message: RateLimit): Readonly<Record<string, unknown>> {
  return {
    rc_message: message,
    rc_registration: unlimited,
    rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
    rc_joins: { local: unlimited, remote: unlimited },
    rc_joins_per_room: unlimited,
    rc_invites: { per_room: unlimited, per_user: unlimited, per_issuer: unlimited },
    rc_room_creation: unlimited,
    rc_user_directory: unlimited,
    rc_profile: unlimited,
    rc_federation: { window_size: 1000, sleep_limit: 10_000, sleep_delay: 1, reject_limit: 50_000, concurrent: 100 },
  };
}

export function synapseLogConfig(folder: string): Readonly<Record<string, unknown>> {
  return {
    version: 1,
    disable_existing_loggers: false,
    formatters: { line: { format: '%(asctime)s %(name)s %(levelname)s %(message)s' } },
    handlers: { file: { class: 'logging.FileHandler', filename: `${folder}/synapse.log`, formatter: 'line' } },
    root: { level: 'WARNING', handlers: ['file'] },
  };
}
