// Owns the page's long-lived objects and how they hang together; views get them through a context.
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Room } from 'livekit-client';
import type { PageAddress } from './address.ts';
import { type BridgeApi, createBridgeApi } from './api/bridge-api.ts';
import type { Result } from './api/refusal.ts';
import type { Ticket } from './api/schemas.ts';
import { type CallSession, type CallState, createCallSession } from './call/call-session.ts';
import { callRoomOver, createLiveKitRoom, followMutes } from './call/livekit-room.ts';
import { patience } from './call/patience.ts';
import { deviceIdOfTab } from './identity/device-id.ts';
import { createSignInStore, type SignInStore } from './identity/sign-in.ts';
import { openWidget, type Widget } from './identity/widget.ts';
import { createTranslate, type Language, pickLanguage, type Translate } from './i18n/language.ts';
import { deviceFaultMessage } from './media/device-error.ts';
import { createMediaChoiceStore, type MediaChoice, type MediaChoiceStore } from './media/media-choice.ts';
import { createNotices, type Notices } from './ui/notices.ts';

export interface Services {
  readonly address: PageAddress;
  readonly api: BridgeApi;
  readonly widget: Widget | undefined;
  readonly signIn: SignInStore;
  readonly room: Room;
  readonly session: CallSession;
  readonly choices: MediaChoiceStore;
  readonly notices: Notices;
  /** Always the language of the moment; views take it from useTranslate. */
  readonly words: { readonly current: Translate };
  readonly speak: (language: Language) => void;
}

async function ticketFromWidget(widget: Widget, api: BridgeApi, deviceId: string): Promise<Result<Ticket>> {
  const token = await widget.whoAmI();
  return token.ok ? api.join({ kind: 'openid', token: token.value }, deviceId) : token;
}

async function ticketFromSignIn(signIn: SignInStore, api: BridgeApi, deviceId: string): Promise<Result<Ticket>> {
  const kept = signIn.get();
  if (kept === undefined) return { ok: false, refusal: { code: 'signed-out' } };
  const result = await api.join({ kind: 'sign-in', token: kept.token }, deviceId);
  if (result.ok || result.refusal.code !== 'unauthorized') return result;
  signIn.drop();
  return { ok: false, refusal: { ...result.refusal, code: 'signed-out' } };
}

/** Builds everything once; a widget's conversation with its host begins here, so call it before the page has loaded. */
export function createServices(address: PageAddress): Services {
  const api = createBridgeApi(address.apiRoot, address.slug);
  const widget = address.widget && openWidget(address.widget);
  const signIn = createSignInStore();
  const choices = createMediaChoiceStore();
  const notices = createNotices();
  const words = { current: createTranslate(pickLanguage([address.language, ...navigator.languages], 'en')) };
  const deviceId = address.deviceId ?? deviceIdOfTab();
  const room = createLiveKitRoom();
  followMutes(room, choices, () => notices.say(words.current('call.muted-by-server'), 'alert'));
  const session = createCallSession({
    room: callRoomOver(room, choices, (kind, fault) => notices.say(words.current(deviceFaultMessage(kind, fault)), 'alert')),
    requestTicket: () => (widget ? ticketFromWidget(widget, api, deviceId) : ticketFromSignIn(signIn, api, deviceId)),
    wait: patience,
    random: Math.random,
  });
  return {
    address, api, widget, signIn, room, session, choices, notices, words,
    speak(language) {
      words.current = createTranslate(language);
    },
  };
}

export const ServicesContext = createContext<Services | undefined>(undefined);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new Error('a view was rendered outside ServicesContext');
  return services;
}

export const TranslateContext = createContext<Translate>(createTranslate('en'));

export function useTranslate(): Translate {
  return useContext(TranslateContext);
}

export function useCallState(): CallState {
  const { session } = useServices();
  return useSyncExternalStore(session.subscribe, session.state);
}

export function useMediaChoice(): MediaChoice {
  const { choices } = useServices();
  return useSyncExternalStore(choices.subscribe, choices.get);
}
