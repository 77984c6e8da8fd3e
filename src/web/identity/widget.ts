// Owns the talk with the Matrix client that shows this page as a widget (matrix-widget-api; MSC1960 for the OpenID token).
import { MatrixCapabilities, WidgetApi } from 'matrix-widget-api';
import { safeParse } from 'zod/mini';
import type { WidgetHost } from '../address.ts';
import type { Result } from '../api/refusal.ts';
import { type OpenIdToken, openIdSchema } from '../api/schemas.ts';
import { background } from '../background.ts';

export interface Widget {
  /** Asks the client for a fresh OpenID token; the client may ask its user first. */
  whoAmI(): Promise<Result<OpenIdToken>>;
  /** Asks the client to keep the call on the screen while its user looks at another room. */
  stayOnScreen(stay: boolean): void;
}

/** Must run before the page has loaded: that is when the client opens the conversation. */
export function openWidget(host: WidgetHost): Widget {
  const api = new WidgetApi(host.widgetId, host.parentOrigin);
  api.requestCapability(MatrixCapabilities.AlwaysOnScreen);
  api.start();
  let staying = false;
  return {
    async whoAmI() {
      try {
        const token = safeParse(openIdSchema, await api.requestOpenIDConnectToken());
        return token.success ? { ok: true, value: token.data } : { ok: false, refusal: { code: 'no-identity' } };
      } catch (cause) {
        return { ok: false, refusal: { code: 'no-identity', detail: cause instanceof Error ? cause.message : String(cause) } };
      }
    },
    stayOnScreen(stay) {
      if (stay === staying) return;
      staying = stay;
      background(api.setAlwaysOnScreen(stay), 'asking the Matrix client to keep the call on the screen');
    },
  };
}
