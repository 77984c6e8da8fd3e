// Owns the probes that ask: the homeserver, ports, certificates.
import { connect } from 'node:tls';
import { z } from 'zod';
import { readRegistration } from '../../bridge.ts';
import { isServerName } from '../../call/ids.ts';
import type { Config } from '../../config/schema.ts';
import { federationAsker } from '../../matrix/federation-request.ts';
import { systemClock } from '../../util/system.ts';
import { ask, reason } from './ask.ts';
import { broken, doubtful, good, type Finding } from './finding.ts';
import { tcpFault, udpFault } from './ports.ts';
import { registration as quickRegistration } from './quick.ts';

const deadlineMs = 5000;
const warnDays = 21;

/** `GET /_matrix/client/versions` */
export async function homeserverVersions({ homeserver }: Config): Promise<Finding> {
  try {
    const { status, body } = await ask(`${homeserver.url}/_matrix/client/versions`);
    const versions = z.object({ versions: z.array(z.string()) }).safeParse(body);
    if (status !== 200 || !versions.success) return broken(`${homeserver.url} answers ${status}, but not as a homeserver`, 'Set homeserver.url to the address of the client API.');
    return good(`The homeserver answers, client API up to ${versions.data.versions.at(-1) ?? 'unknown'}`);
  } catch (error) {
    return broken(`The homeserver does not answer at ${homeserver.url}: ${reason(error)}`, 'Check that it runs and that homeserver.url is right.');
  }
}

/** `GET /account/whoami` as the application service's sender: the homeserver knows our registration. Nothing when there is none. */
export async function registrationKnown(config: Config): Promise<Finding[]> {
  const found = quickRegistration(config);
  if (found.level === 'failure') return [];
  return [await known(config)];
}

async function known(config: Config): Promise<Finding> {
  const advice = `Add the registration to app_service_config_files in homeserver.yaml and restart the homeserver (./viaduc register prints the lines).`;
  try {
    const { asToken, id } = readRegistration(config);
    const { status, body } = await ask(`${config.homeserver.url}/_matrix/client/v3/account/whoami`, asToken.reveal());
    const who = z.object({ user_id: z.string() }).safeParse(body);
    if (status === 401 || status === 403) return broken('The homeserver does not know our registration', advice);
    if (!who.success) return broken(`The homeserver answers ${status} to our registration`, advice);
    if (!who.data.user_id.endsWith(`:${config.homeserver.serverName}`)) return broken(`The homeserver takes us for ${who.data.user_id}`, `Set homeserver.serverName to its server name.`);
    return good(`The homeserver knows the application service ${id}`);
  } catch (error) {
    return broken(`The homeserver could not be asked about the registration: ${reason(error)}`, advice);
  }
}

/** `POST /_matrix/client/v1/appservice/{id}/ping`: only while the bridge runs. */
export async function homeserverReachesUs(config: Config): Promise<Finding> {
  try {
    const { asToken, id, url } = readRegistration(config);
    const { status, body } = await ask(`${config.homeserver.url}/_matrix/client/v1/appservice/${encodeURIComponent(id)}/ping`, asToken.reveal(), '{}');
    if (status === 200) return good(`The homeserver reaches the bridge at ${url}`);
    const answer = z.object({ errcode: z.string() }).safeParse(body);
    return broken(`The homeserver does not reach the bridge at ${url} (${answer.success ? answer.data.errcode : status})`, 'Check the url in the registration, appservice.host and a firewall between them.');
  } catch (error) {
    return broken(`The homeserver could not be asked to reach us: ${reason(error)}`, 'Check homeserver.url.');
  }
}

/**
 * `GET /_matrix/federation/v1/openid/userinfo` with an invented token, asked as for a join, of our own homeserver and of each
 * that is listed by its full name: who they do not know is refused, so 401 means that they would vouch for their people.
 */
export async function identities({ homeserver, access }: Config): Promise<Finding[]> {
  const ask = federationAsker({ own: homeserver, privateAddresses: access.privateAddresses, clock: systemClock });
  const others = access.servers.filter(isServerName).filter((server) => server !== homeserver.serverName);
  return await Promise.all([homeserver.serverName, ...others].map(async (server) => {
    const answer = await ask(server, '/_matrix/federation/v1/openid/userinfo?access_token=check');
    if (answer.ok && answer.value.status === 401) return good(`${server} can be asked who its people are`);
    const what = `${server} cannot be asked who its people are: ${answer.ok ? `it answers ${answer.value.status}, but not as a homeserver` : answer.error.detail}`;
    const isPrivate = !answer.ok && answer.error.kind === 'forbiddenAddress';
    if (server !== homeserver.serverName) return doubtful(what, isPrivate ? 'If it is a homeserver inside your network, list that in access.privateAddresses.' : 'Until it can, its people join by the link and a code only. Check its name in access.servers, the network and its certificate.');
    return broken(what, isPrivate ? 'Set homeserver.federationUrl, or list your network in access.privateAddresses.' : 'Set homeserver.federationUrl to a listener with the resource federation or openid (NODE_EXTRA_CA_CERTS for a private certificate authority).');
  }));
}

/** Something answers on the metrics port: the bridge runs already. */
export async function bridgeRuns({ metrics }: Config): Promise<boolean> {
  return ask(`http://${metrics.host}:${metrics.port}/healthz`).then(({ status }) => status === 200, () => false);
}

export async function portsFree(config: Config): Promise<Finding[]> {
  const { http, appservice, metrics, media } = config;
  const wanted = [
    { name: 'public', proto: 'tcp', host: http.host, port: http.port },
    { name: 'application service', proto: 'tcp', host: appservice.host, port: appservice.port },
    { name: 'metrics', proto: 'tcp', host: metrics.host, port: metrics.port },
    ...Array.from({ length: media.workers }, (_, worker) => (['udp', 'tcp'] as const).map((proto) => ({ name: 'media', proto, host: media.listenIp, port: media.firstPort + worker }))).flat(),
  ] as const;
  return Promise.all(
    wanted.map(async ({ name, proto, host, port }) => {
      const fault = await (proto === 'udp' ? udpFault(host, port) : tcpFault(host, port));
      return fault === undefined ? good(`Port ${port}/${proto} is free (${name})`) : broken(`Port ${port}/${proto} on ${host} cannot be opened (${name}): ${fault}`, 'Stop what uses it, or choose another port in the configuration.');
    }),
  );
}

/** The certificate that people's browsers see. */
export async function certificate({ http }: Config): Promise<Finding | undefined> {
  const { protocol, hostname, port } = new URL(http.publicUrl);
  if (protocol !== 'https:') return undefined;
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const socket = connect({ host: hostname, port: port === '' ? 443 : Number(port), servername: hostname, timeout: deadlineMs }, () => {
    const { valid_to: validTo } = socket.getPeerCertificate();
    const days = Math.floor((Date.parse(validTo) - Date.now()) / 86_400_000);
    resolve(days < warnDays ? doubtful(`The certificate of ${hostname} ends in ${days} days`, 'Renew it.') : good(`The certificate of ${hostname} is good for ${days} days`));
    socket.end();
  });
  socket.on('timeout', () => socket.destroy(new Error('no answer')));
  socket.on('error', (error: Error) => {
    resolve(broken(`${http.publicUrl} cannot be reached over TLS: ${error.message}`, 'Check the reverse proxy and its certificate.'));
  });
  return promise;
}
