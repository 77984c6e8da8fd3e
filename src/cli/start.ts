// Owns the life of the production process: start, drain at the first signal, force at the second.
import { createBridge } from '../bridge.ts';
import { loadConfig } from '../config/load.ts';
import { createLogger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { quickFindings } from './check/quick.ts';

/** Runs until SIGTERM or SIGINT; the exit status. */
export async function start(configPath: string): Promise<number> {
  const config = loadConfig(configPath);
  const log = createLogger(config.log);
  for (const { level, what, advice } of quickFindings(config)) if (level !== 'ok') log.warn(what, { advice });
  process.on('unhandledRejection', (reason) => {
    log.error('unhandled rejection', { error: asError(reason) });
  });
  const signals = new Signals();
  const bridge = await createBridge(config, log);
  await signals.first();
  const stopping = bridge.drain().then(() => bridge.close());
  const forced = await Promise.race([stopping.then(() => false), signals.second().then(() => true)]);
  if (!forced) return 0;
  log.warn('stopped by force');
  process.exit(1);
}

class Signals {
  readonly #first = Promise.withResolvers<undefined>();
  readonly #second = Promise.withResolvers<undefined>();
  #count = 0;

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        this.#count += 1;
        (this.#count === 1 ? this.#first : this.#second).resolve(undefined);
      });
    }
  }

  first(): Promise<undefined> {
    return this.#first.promise;
  }

  second(): Promise<undefined> {
    return this.#second.promise;
  }
}
