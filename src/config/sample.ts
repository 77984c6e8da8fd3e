// Owns config/bridge.sample.yaml: made from the schema, so that it cannot be out of date.
import { z } from 'zod';
import { stringify } from 'yaml';
import { configSchema } from './schema.ts';

const schemaNode = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});

/** What the operator must say themselves. */
const examples: Readonly<Record<string, string>> = {
  'homeserver.serverName': 'interieur.example.org',
  'homeserver.url': 'http://127.0.0.1:8008',
  'homeserver.federationUrl': 'https://127.0.0.1:8448',
  'http.publicUrl': 'https://visio.interieur.example.org',
  'http.frameAncestors': '["https://element.interieur.example.org"]',
  'media.announcedAddress': '192.0.2.10',
  'media.workerBinary': '/opt/viaduc/mediasoup-worker',
  'neighbours': '[{ serverName: finances.example.org }]',
  'cascade.announcedAddress': '192.0.2.11',
  'access.servers': '["finances.example.org"]',
  'organisation.name': 'Ministère de l\'Intérieur',
};
const spokenFor = new Set(['homeserver.serverName', 'homeserver.url', 'http.publicUrl', 'http.frameAncestors', 'access.servers', 'organisation.name']);

/** The sample with every key: those that must be set have example values, the others stand as comments with their defaults. */
export function sampleConfig(): string {
  const root = schemaNode.parse(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }));
  const lines = ['# Viaduc: configuration of one bridge. Keys that stand as comments show their defaults.', ''];
  for (const [key, node] of Object.entries(root.properties ?? {})) lines.push(...render(key, node, []), '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function render(key: string, node: unknown, above: readonly string[]): string[] {
  const { description, properties, default: value } = schemaNode.parse(node);
  const indent = '  '.repeat(above.length);
  const path = [...above, key];
  const comment = description === undefined ? [] : wrap(description, 110).map((line) => `${indent}# ${line}`);
  if (properties !== undefined) return [...comment, `${indent}${key}:`, ...Object.entries(properties).flatMap(([child, childNode]) => render(child, childNode, path))];
  const name = path.join('.');
  const shown = examples[name] ?? stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  return [...comment, `${indent}${spokenFor.has(name) ? '' : '# '}${key}: ${shown}`];
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.length - 1;
    if ((lines[last] ?? '').length + word.length + 1 > width) lines.push(word);
    else lines[last] = lines[last] === '' ? word : `${lines[last] ?? ''} ${word}`;
  }
  return lines;
}
