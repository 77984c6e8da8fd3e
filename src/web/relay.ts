// Owns the handing on of messages between two windows, each known by its origin too. No DOM of its own.

interface Addressee {
  postMessage(data: unknown, targetOrigin: string): void;
}

/** What a window hears: where from, and what. */
interface Heard {
  readonly source: unknown;
  readonly origin: string;
  readonly data: unknown;
}

export interface RelayEnds {
  readonly host: { readonly window: Addressee; readonly origin: string };
  /** Its window may change as it loads. */
  readonly guest: { readonly window: () => Addressee | null; readonly origin: string };
}

/** From now on what each end says to this window goes to the other, and nothing that others say. */
export function relayMessages(here: { addEventListener(type: 'message', listener: (event: Heard) => void): void }, { host, guest }: RelayEnds): void {
  here.addEventListener('message', ({ source, origin, data }) => {
    const inner = guest.window();
    if (source === host.window && origin === host.origin) inner?.postMessage(data, guest.origin);
    else if (source !== null && source === inner && origin === guest.origin) host.window.postMessage(data, host.origin);
  });
}
