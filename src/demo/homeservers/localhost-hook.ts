// Owns nothing but an effect: `node --import <this file>` makes *.localhost resolve in a child process.
import { resolveLocalhostNames } from './localhost-names.ts';

resolveLocalhostNames();
