// Owns the certificates of a run: a test authority and one certificate for all its homeservers, made by openssl in the run's folder.
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const validDays = 365;
const renewBeforeMs = 30 * 86_400_000;

/** Paths of PEM files. */
export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * Finds the folder's certificates, or makes them when they are missing, near their end, or lack a name.
 * @param names DNS names, each listed: a wildcard directly under "localhost" is refused by clients.
 */
export async function ensureCertificates(folder: string, names: readonly string[]): Promise<Certificates> {
  const file = (name: string): string => join(folder, name);
  const found: Certificates = { authority: file('ca.pem'), certificate: file('server.pem'), key: file('server.key') };
  if (usable(found, names)) return found;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file('openssl.cnf'), configuration(names));
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-config', file('openssl.cnf')];
  await openssl('req', '-x509', ...newKey, '-days', String(validDays), '-subj', '/CN=Viaduc test authority', '-extensions', 'authority', '-keyout', file('ca.key'), '-out', found.authority);
  await openssl('req', ...newKey, '-subj', '/CN=homeserver', '-keyout', found.key, '-out', file('server.csr'));
  await openssl('x509', '-req', '-in', file('server.csr'), '-CA', found.authority, '-CAkey', file('ca.key'), '-CAcreateserial', '-days', String(validDays), '-extfile', file('openssl.cnf'), '-extensions', 'server', '-out', found.certificate);
  return found;
}

function usable({ authority, certificate, key }: Certificates, names: readonly string[]): boolean {
  if (![authority, certificate, key].every((path) => existsSync(path))) return false;
  const server = new X509Certificate(readFileSync(certificate));
  return server.validToDate.getTime() - Date.now() > renewBeforeMs && names.every((name) => server.checkHost(name) !== undefined);
}

function configuration(names: readonly string[]): string {
  return [
    '[req]', 'distinguished_name = name', '[name]',
    '[authority]', 'basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign, cRLSign', 'subjectKeyIdentifier = hash',
    '[server]', 'basicConstraints = CA:FALSE', 'extendedKeyUsage = serverAuth, clientAuth', `subjectAltName = ${names.map((name) => `DNS:${name}`).join(', ')}, IP:127.0.0.1`,
  ].join('\n');
}

async function openssl(...args: string[]): Promise<void> {
  try {
    await run('openssl', args);
  } catch (cause) {
    throw new Error('openssl could not make the test certificates. Is the package "openssl" installed?', { cause });
  }
}
