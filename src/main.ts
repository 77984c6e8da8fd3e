// Owns the process: which command runs, and the words of a failure.
import { parseCommandLine } from './cli/command-line.ts';

const [major = 0] = process.versions.node.split('.').map(Number);

if (major < 24) {
  process.stderr.write(`Viaduc needs Node 24 or newer, this is ${process.versions.node}. Start it with ./viaduc, which brings its own.\n`);
  process.exitCode = 1;
} else {
  const command = parseCommandLine(process.argv.slice(2));
  try {
    process.exitCode = await command.run();
  } catch (error) {
    process.stderr.write(`viaduc ${command.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    if (process.env['VIADUC_TRACE'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
    process.exitCode = 1;
  }
}
