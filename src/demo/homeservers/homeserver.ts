// Owns one real Synapse: its folder, start, stop, kill, wipe, saved state, and accounts made with its registration secret.
import { createHmac, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Certificates } from './certificate-authority.ts';
import { clientApi, type ClientApi } from './client-api.ts';
import type { Nursery } from './nursery.ts';
import { type RateLimit, synapseConfig, synapseLogConfig } from './synapse-config.ts';

export interface HomeserverOptions {
  readonly nursery: Nursery;
  /** Kept from run to run: database, signing key, logs. */
  readonly folder: string;
  /** "interieur.localhost" */
  readonly host: string;
  /** Federation (TLS); the client API is on the next port, in clear. The server name is host:port. */
  readonly port: number;
  readonly certificates: Certificates;
  /** Application service registrations: the content of each registration.yaml. */
  readonly registrations?: readonly Readonly<Record<string, unknown>>[];
  readonly messageLimit?: RateLimit;
  /** More of homeserver.yaml. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

const startDeadlineMs = 60_000;
const stopDeadlineMs = 15_000;
const nonceSchema = z.object({ nonce: z.string() });

export class Homeserver implements AsyncDisposable {
  /** "interieur.localhost:18440" */
  readonly serverName: string;
  /** The client API, for this machine's programs. */
  readonly url: string;
  /** The client API, for browsers. */
  readonly publicUrl: string;
  readonly folder: string;
  readonly api: ClientApi;
  readonly #options: HomeserverOptions;
  readonly #secret: string;
  #pid: number | undefined;

  constructor(options: HomeserverOptions) {
    this.#options = options;
    this.folder = resolve(options.folder);
    this.serverName = `${options.host}:${String(options.port)}`;
    this.url = `http://127.0.0.1:${String(options.port + 1)}`;
    this.publicUrl = `http://${options.host}:${String(options.port + 1)}`;
    this.api = clientApi(this.url);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    this.#secret = this.#kept('registration.secret', () => randomBytes(24).toString('hex'));
    // The last six bits of 32 bytes in base64 are padding that the key's reader does not want.
    this.#kept('signing.key', () => `ed25519 a_test ${randomBytes(32).toString('base64').replace('=', '')}\n`);
  }

  /** The process id while it runs. */
  get pid(): number | undefined {
    return this.isAlive() ? this.#pid : undefined;
  }

  isAlive(): boolean {
    if (this.#pid === undefined) return false;
    try {
      return process.kill(this.#pid, 0);
    } catch {
      return false;
    }
  }

  /** Returns when it answers. @throws with the end of its log when it ends instead. */
  async start(): Promise<void> {
    if (this.isAlive()) throw new Error(`${this.serverName} already runs.`);
    this.#writeConfig();
    this.#pid = await this.#options.nursery.fork({ config: this.#file('homeserver.yaml'), output: this.#file('output.log') });
    const deadline = Date.now() + startDeadlineMs;
    while (!(await this.healthy())) {
      if (!this.isAlive()) throw new Error(`Synapse ${this.serverName} ended while it started. The end of ${this.#file('output.log')}:\n${this.#lastWords()}`);
      if (Date.now() > deadline) throw new Error(`Synapse ${this.serverName} does not answer at ${this.url}/health after ${String(startDeadlineMs / 1000)} s.`);
      await sleep(25);
    }
  }

  async healthy(): Promise<boolean> {
    return fetch(`${this.url}/health`).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Asks it to end (SIGTERM) and, if it does not, kills it; returns when the process is gone. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** kill -9: what was not yet written is lost. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops its clock: it keeps its connections and answers nothing, as a machine that hangs. */
  freeze(frozen: boolean): void {
    if (this.#pid !== undefined) process.kill(this.#pid, frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Forgets everything but its name and keys. Only while it is stopped. */
  wipe(): void {
    this.#onlyStopped('wipe');
    for (const end of ['', '-wal', '-shm']) rmSync(this.#file(`homeserver.db${end}`), { force: true });
    rmSync(this.#file('media'), { recursive: true, force: true });
  }

  /** Remembers its database for `restore`. Only while it is stopped, and with all homeservers it federates with. */
  save(): void {
    this.#onlyStopped('save');
    cpSync(this.#file('homeserver.db'), this.#file('saved.db'));
  }

  restore(): void {
    this.wipe();
    cpSync(this.#file('saved.db'), this.#file('homeserver.db'));
  }

  /** Makes an account. @throws MatrixError M_USER_IN_USE */
  async register(localpart: string, password: string, options: { readonly admin?: boolean; readonly displayName?: string } = {}): Promise<void> {
    const path = '/_synapse/admin/v1/register';
    const admin = options.admin ?? false;
    const { nonce } = await this.api.ask({ method: 'GET', path, answer: nonceSchema });
    const mac = createHmac('sha1', this.#secret).update([nonce, localpart, password, admin ? 'admin' : 'notadmin'].join('\0')).digest('hex');
    await this.api.tell('POST', path, { nonce, username: localpart, password, admin, mac, ...(options.displayName !== undefined && { displayname: options.displayName }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #file(name: string): string {
    return join(this.folder, name);
  }

  #kept(name: string, make: () => string): string {
    if (!existsSync(this.#file(name))) writeFileSync(this.#file(name), make(), { mode: 0o600 });
    return readFileSync(this.#file(name), 'utf8');
  }

  #writeConfig(): void {
    const { certificates, registrations = [], port, messageLimit, extra } = this.#options;
    const write = (name: string, content: unknown): string => {
      writeFileSync(this.#file(name), stringify(content), { mode: 0o600 });
      return this.#file(name);
    };
    write('log.yaml', synapseLogConfig(this.folder));
    write(
      'homeserver.yaml',
      synapseConfig({
        serverName: this.serverName,
        publicUrl: `${this.publicUrl}/`,
        federationPort: port,
        clientPort: port + 1,
        folder: this.folder,
        certificates,
        registrations: registrations.map((registration, index) => write(`registration-${String(index)}.yaml`, registration)),
        registrationSecret: this.#secret,
        ...(messageLimit && { messageLimit }),
        ...(extra && { extra }),
      }),
    );
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#pid === undefined || !this.isAlive()) return;
    process.kill(this.#pid, 'SIGCONT');
    process.kill(this.#pid, signal);
    const deadline = Date.now() + stopDeadlineMs;
    while (this.isAlive()) {
      if (Date.now() > deadline) process.kill(this.#pid, 'SIGKILL');
      await sleep(10);
    }
  }

  #onlyStopped(what: string): void {
    if (this.isAlive()) throw new Error(`Stop ${this.serverName} before you ${what} it.`);
  }

  #lastWords(): string {
    const path = this.#file('output.log');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').slice(-15).join('\n') : '(nothing was written)';
  }
}
