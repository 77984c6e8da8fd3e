// Owns the list of what the check has found: rows of a table, figures, and the last line for machines.

export interface Row {
  readonly what: string;
  readonly held: boolean;
  readonly detail: string;
}

export type Figures = Record<string, number | string | readonly string[] | Readonly<Record<string, number>>>;

export class Checklist {
  readonly figures: Figures = {};
  readonly #rows: Row[] = [];
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  get allHeld(): boolean {
    return this.#rows.length > 0 && this.#rows.every(({ held }) => held);
  }

  /** Prints the row at once: the check takes a while. */
  add(row: Row): void {
    this.#rows.push(row);
    this.#print(`  ${row.held ? 'ok  ' : 'FAIL'}  ${row.what.padEnd(46)}  ${row.detail}`);
  }

  /** Runs a step; what it answers is its detail, what it throws its failure. The next steps need it: they are not tried then. */
  async step(what: string, work: () => Promise<string>): Promise<void> {
    const start = performance.now();
    try {
      const detail = await work();
      this.add({ what, held: true, detail: `${((performance.now() - start) / 1000).toFixed(1)} s${detail === '' ? '' : `, ${detail}`}` });
    } catch (cause) {
      this.add({ what, held: false, detail: cause instanceof Error ? firstLine(cause.message) : String(cause) });
      throw new StepFailed(what, { cause });
    }
  }

  lastLine(): string {
    return JSON.stringify({ check: 'demo', pass: this.allHeld, ...this.figures });
  }
}

/** Already in the table. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
