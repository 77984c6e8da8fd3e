// Owns the command line: which words and options each command takes.
import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest.ts';

export interface Command {
  readonly name: string;
  /** The exit status. */
  run(): Promise<number>;
}

const usage = `Usage:
  viaduc demo [--check] [--ministries 2|3] [--port N] [--lang fr|en] [--out FOLDER]
  viaduc drill list | ID [--n N] [--port N]
  viaduc start --config FILE
  viaduc register --config FILE [--force]
  viaduc check --config FILE
  viaduc neighbours --config FILE
`;

/** The command to run; for unusable words one that says so and exits with 2. */
export function parseCommandLine(argv: readonly string[]): Command {
  const [name = '', ...rest] = argv;
  if (rest.includes('--help') || rest.includes('-h')) return say(name, usage, 0);
  try {
    switch (name) {
      case 'start': {
        const config = configPath(rest);
        return { name, run: async () => (await import('./start.ts')).start(config) };
      }
      case 'check': {
        const config = configPath(rest);
        return { name, run: async () => (await import('./check.ts')).check(config) };
      }
      case 'neighbours': {
        const config = configPath(rest);
        return { name, run: async () => (await import('./neighbours.ts')).neighbours(config) };
      }
      case 'register': {
        const { values } = parseArgs({ args: rest, options: { config: { type: 'string' }, force: { type: 'boolean', default: false } } });
        const config = required(values.config);
        return { name, run: async () => (await import('./register.ts')).register(config, values.force) };
      }
      case 'demo':
        return { name, run: async () => (await import('./demo.ts')).demo(rest) };
      case 'drill':
        return { name, run: async () => (await import('./drill.ts')).drill(rest) };
      case 'help':
      case '--help':
      case '-h':
        return say(name, usage, 0);
      default: {
        const hint = nearest(name, ['start', 'check', 'neighbours', 'register', 'demo', 'drill']);
        return say(name, `${name === '' ? 'No command was given.' : `There is no command ${name}.`}${hint === undefined || name === '' ? '' : ` Did you mean ${hint}?`}\n\n${usage}`, 2);
      }
    }
  } catch (error) {
    return say(name, `${error instanceof Error ? error.message : String(error)}\n\n${usage}`, 2);
  }
}

function configPath(args: readonly string[]): string {
  return required(parseArgs({ args: [...args], options: { config: { type: 'string' } } }).values.config);
}

function required(config: string | undefined): string {
  if (config === undefined) throw new Error('--config FILE is missing. Begin with a copy of config/bridge.sample.yaml.');
  return config;
}

function say(name: string, text: string, status: number): Command {
  return {
    name,
    run: () => {
      (status === 0 ? process.stdout : process.stderr).write(text);
      return Promise.resolve(status);
    },
  };
}
