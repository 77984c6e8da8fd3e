// Owns reading the configuration: YAML file → checked, frozen Config; every error names its key, its line and what to do.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { configSchema, type Config } from './schema.ts';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws ConfigError with one line for each fault */
export function loadConfig(path: string): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`the configuration ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const config = parseConfig(text, path);
  const folder = dirname(resolve(path));
  return { ...config, registration: resolve(folder, config.registration), dataFolder: resolve(folder, config.dataFolder) };
}

export function parseConfig(text: string, path: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const [syntax] = document.errors;
  if (syntax !== undefined) throw new ConfigError(`${path} is not valid YAML: ${syntax.message}`);
  const parsed = configSchema.safeParse(withoutEmptySections(document.toJS()), { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.flatMap((issue) => describe(issue, document, lines).map((fault) => `${path}${fault}`)).join('\n'));
}

/** A section whose keys are all comments is null in YAML: it means its defaults. */
function withoutEmptySections(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? {};
  return Object.fromEntries(Object.entries(value).filter(([, section]) => section !== null));
}

function describe(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const at = [...issue.path, key];
      const hint = nearest(key, knownKeys(issue.path));
      return `${lineOf(at, document, lines)}: unknown key ${at.join('.')}${hint === undefined ? '' : `; did you mean ${[...issue.path, hint].join('.')}?`}`;
    });
  }
  return [`${lineOf(issue.path, document, lines)}: ${issue.path.map(String).join('.') || 'the file'}: ${issue.input === undefined ? 'is missing' : issue.message}`];
}

function lineOf(path: readonly PropertyKey[], document: Document, lines: LineCounter): string {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(path[length - 1])) : undefined;
    const range: unknown = pair === undefined ? undefined : Reflect.get(Object(pair.key), 'range');
    if (Array.isArray(range) && typeof range[0] === 'number') return `:${lines.linePos(range[0]).line}`;
  }
  return '';
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = configSchema;
  for (const key of path) schema = shapeOf(schema)[String(key)];
  return Object.keys(shapeOf(schema));
}

function shapeOf(schema: unknown): Record<string, unknown> {
  let inner: unknown = schema;
  while (typeof inner === 'object' && inner !== null) {
    const shape: unknown = Reflect.get(inner, 'shape');
    if (typeof shape === 'object' && shape !== null) return { ...shape };
    const def: unknown = Reflect.get(inner, 'def');
    inner = typeof def === 'object' && def !== null ? Reflect.get(def, 'innerType') : undefined;
  }
  return {};
}
