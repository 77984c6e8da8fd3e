// Owns the doors of our own call page: widget (OpenID token), paired browser (sign-in), and the pairing itself.
import { z } from 'zod';
import { callError } from '../call/errors.ts';
import { isSlug, parse, type Slug, type UserId } from '../call/ids.ts';
import type { Admission, Proof } from '../control/admission.ts';
import type { Route } from '../control/ports/route.ts';
import type { Language } from '../control/ports/room-voice.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { SignInDesk } from '../control/sign-in-desk.ts';
import { err, ok } from '../util/result.ts';
import { checkBody, deviceText, openIdToken } from './bodies.ts';

export interface PageRoutesOptions {
  readonly admission: Pick<Admission, 'admit'>;
  readonly signIns: Pick<SignInDesk, 'begin' | 'state' | 'revoke'>;
  readonly clock: Clock;
  readonly liveKitUrl: string;
  readonly page: { readonly organisation: string; readonly defaultLanguage: Language; readonly botUser: UserId; readonly commandPrefix: string; readonly signInMaxAgeMs: number };
}

const longPollMs = 25_000;
/** What a wrong address is taken for: it stands for no room, so the answer is that of a room one is not in. */
const nowhere: Slug = parse(isSlug, 'a'.repeat(40), 'slug');

const joinBody = z.union([
  z.object({ openid_token: openIdToken, device_id: deviceText }).transform(({ openid_token: token, device_id: device }) => ({ proof: { kind: 'openId', token } satisfies Proof, device })),
  z.object({ sign_in: z.string().min(1).max(4096), device_id: deviceText }).transform(({ sign_in: text, device_id: device }) => ({ proof: { kind: 'signIn', text } satisfies Proof, device })),
]);

export function pageRoutes({ admission, signIns, clock, liveKitUrl, page }: PageRoutesOptions): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/page',
      anyOrigin: false,
      perMinute: 600,
      run: () =>
        Promise.resolve(
          ok({
            organisation: page.organisation,
            languages: ['fr', 'en'],
            defaultLanguage: page.defaultLanguage,
            botUserId: page.botUser,
            commandPrefix: page.commandPrefix,
            signInMaxAgeMs: page.signInMaxAgeMs,
            liveKitUrl,
          }),
        ),
    },
    {
      method: 'POST',
      path: '/api/calls/:slug/join',
      anyOrigin: false,
      perMinute: 120,
      run: async (request) => {
        const body = checkBody(joinBody, request.body);
        if (!body.ok) return body;
        const { proof, device } = body.value;
        const admitted = await admission.admit({ proof, at: { kind: 'page', slug: slugOf(request.params) }, device });
        if (!admitted.ok) return admitted;
        const { ticket, url, identity, roomName, language, call } = admitted.value;
        return ok({
          url: url ?? liveKitUrl,
          jwt: ticket,
          identity: identity.identity,
          user_id: identity.user,
          display_name: identity.name,
          role: identity.role,
          language,
          ...(roomName !== undefined && { room_name: roomName }),
          call: { started_at: call.startedAtMs, started_by: call.startedBy },
        });
      },
    },
    {
      method: 'POST',
      path: '/api/calls/:slug/pairing',
      anyOrigin: false,
      perMinute: 20,
      run: (request) => {
        const pairing = signIns.begin(slugOf(request.params));
        if (!pairing.ok) return Promise.resolve(pairing);
        const { secret, code, expiresAtMs } = pairing.value;
        const spoken = `${code.slice(0, 3)} ${code.slice(3)}`;
        return Promise.resolve(ok({ code: spoken, pairing: secret, expires_in_ms: expiresAtMs - clock.nowMs(), say: `${page.commandPrefix} code ${spoken}`, bot_user_id: page.botUser }));
      },
    },
    {
      method: 'GET',
      path: '/api/pairings/:secret',
      anyOrigin: false,
      perMinute: 240,
      run: async (request) => {
        const state = await signIns.state(request.params['secret'] ?? '', longPollMs);
        return ok(state.status === 'paired' ? { status: state.status, sign_in: state.signIn, user_id: state.user, expires_at: state.expiresAtMs } : state);
      },
    },
    {
      method: 'DELETE',
      path: '/api/sign-in',
      anyOrigin: false,
      perMinute: 60,
      run: (request) => (request.bearer === undefined ? Promise.resolve(err(callError('signInInvalid', 'no bearer token'))) : signIns.revoke(request.bearer)),
    },
  ];
}

function slugOf(params: Readonly<Record<string, string>>): Slug {
  const text = params['slug'] ?? '';
  return isSlug(text) ? text : nowhere;
}
