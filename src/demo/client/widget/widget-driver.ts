// Owns what a widget may do in this client: know who its user is, if its origin is trusted; nothing else.
import { type Capability, type IOpenIDUpdate, MatrixCapabilities, OpenIDRequestState, type SimpleObservable, WidgetDriver } from 'matrix-widget-api';
import type { OpenIdToken } from '../matrix/room-client.ts';

const harmless = new Set<Capability>([MatrixCapabilities.AlwaysOnScreen]);

export class CallWidgetDriver extends WidgetDriver {
  readonly #trusted: boolean;
  readonly #openIdToken: () => Promise<OpenIdToken>;

  constructor(options: { readonly trusted: boolean; readonly openIdToken: () => Promise<OpenIdToken> }) {
    super();
    this.#trusted = options.trusted;
    this.#openIdToken = options.openIdToken;
  }

  override validateCapabilities(requested: Set<Capability>): Promise<Set<Capability>> {
    return Promise.resolve(new Set([...requested].filter((capability) => harmless.has(capability))));
  }

  override askOpenID(observer: SimpleObservable<IOpenIDUpdate>): void {
    if (!this.#trusted) {
      observer.update({ state: OpenIDRequestState.Blocked });
      return;
    }
    this.#openIdToken().then(
      (token) => observer.update({ state: OpenIDRequestState.Allowed, token }),
      () => observer.update({ state: OpenIDRequestState.Blocked }),
    );
  }
}
