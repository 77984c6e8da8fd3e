// Owns what a drill says: rows of a table as it goes, figures, and the last line for machines.
import { loadavg } from 'node:os';

type Figure = number | string | boolean | null | readonly Figure[] | { readonly [name: string]: Figure };

export class Report {
  readonly figures: Record<string, Figure> = {};
  readonly #print: (line: string) => void;
  #rows = 0;
  #failed = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
    this.figures['loadAtStart'] = load();
  }

  get allHeld(): boolean {
    return this.#rows > 0 && this.#failed === 0;
  }

  /** Something that must hold. Printed at once: a drill takes a while. */
  hold(what: string, held: boolean, detail: string): void {
    this.#rows += 1;
    if (!held) this.#failed += 1;
    this.#print(`  ${held ? 'ok  ' : 'FAIL'}  ${what.padEnd(58)}  ${detail}`);
  }

  /** Something that is done or seen, and decides nothing. */
  note(what: string, detail = ''): void {
    this.#print(`  ···   ${what.padEnd(58)}  ${detail}`.trimEnd());
  }

  lastLine(result: { readonly drill: string; readonly n: number; readonly value: Figure; readonly limit: Figure }): string {
    return JSON.stringify({ ...result, pass: this.allHeld, ...this.figures, loadAtEnd: load() });
  }
}

/** The machine's load average of one minute: who reads the figures must know how busy it was. */
function load(): number {
  return Number((loadavg()[0] ?? 0).toFixed(2));
}
