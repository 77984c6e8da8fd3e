// Owns events: who listens to what, and what they are told.

type Listener = (event: IdbEvent) => unknown;

export interface IdbEvent {
  readonly type: string;
  readonly target: IdbTarget;
  currentTarget: IdbTarget;
  readonly defaultPrevented: boolean;
  preventDefault(): void;
  stopPropagation(): void;
  readonly oldVersion?: number;
  readonly newVersion?: number | null;
}

/** Stands in the global scope, where programs ask for it by name. */
export class IDBVersionChangeEvent {}

class Happening implements IdbEvent {
  readonly type: string;
  readonly target: IdbTarget;
  currentTarget: IdbTarget;
  readonly oldVersion?: number;
  readonly newVersion?: number | null;
  isStopped = false;
  #prevented = false;

  constructor(type: string, target: IdbTarget, versions: Versions) {
    this.type = type;
    this.target = target;
    this.currentTarget = target;
    Object.assign(this, versions);
  }

  get defaultPrevented(): boolean {
    return this.#prevented;
  }

  preventDefault(): void {
    this.#prevented = true;
  }

  stopPropagation(): void {
    this.isStopped = true;
  }
}

type Versions = Pick<IdbEvent, 'oldVersion' | 'newVersion'>;

export class IdbTarget {
  readonly #listeners = new Map<string, Listener[]>();

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, (this.#listeners.get(type) ?? []).filter((each) => each !== listener));
  }

  /** Tells the listeners, then those of `above` unless one of them stopped it. */
  tell(type: string, { versions = {}, above = [] }: { readonly versions?: Versions; readonly above?: readonly IdbTarget[] } = {}): IdbEvent {
    const event = new Happening(type, this, versions);
    for (const target of [this, ...above]) {
      if (event.isStopped) break;
      event.currentTarget = target;
      target.#hear(event);
    }
    return event;
  }

  #hear(event: IdbEvent): void {
    const property: unknown = Reflect.get(this, `on${event.type}`);
    if (typeof property === 'function') Reflect.apply(property, this, [event]);
    for (const listener of this.#listeners.get(event.type) ?? []) Reflect.apply(listener, this, [event]);
  }
}
