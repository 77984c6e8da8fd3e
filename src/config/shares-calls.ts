// Owns whether a bridge shares calls with others at all.
import type { Config } from './schema.ts';

export function sharesCalls({ neighbours, cascade }: Pick<Config, 'neighbours' | 'cascade'>): boolean {
  return neighbours.length > 0 || cascade.accept === 'anyFederated';
}
