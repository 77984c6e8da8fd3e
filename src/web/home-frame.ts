// Owns the frame in which a widget shows the page of the person's own organisation: it hands messages between that page and the Matrix client.
import { relayMessages } from './relay.ts';

const frame = document.querySelector('iframe');
const home = frame?.dataset['src'];
const client = new URLSearchParams(location.search).get('parentUrl');
if (frame === null || home === undefined || client === null) throw new Error('home-frame.html is shown by the bridge, with an address to show and one to answer to');

relayMessages(window, { host: { window: window.parent, origin: new URL(client).origin }, guest: { window: () => frame.contentWindow, origin: new URL(home).origin } });
// Only now: the page's first message must not be missed.
frame.src = home;
