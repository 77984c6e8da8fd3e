// Owns the start of a headless Chromium with a generated camera and microphone, for the demo's check and for specs.
import { chromium, type Browser } from 'playwright-core';
import { toolPath } from './tools.ts';

const flags = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--auto-accept-this-tab-capture',
  '--autoplay-policy=no-user-gesture-required',
  // Pages that nobody looks at must work at full speed.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** Ordinary users' browsers keep their sandbox; root's cannot. It ends with this process, however that dies. */
export async function launchChromium(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? [...flags, '--no-sandbox'] : flags;
  // Signals are ours to handle: the browser is closed in its turn.
  return chromium.launch({ executablePath: toolPath('VIADUC_CHROMIUM'), headless: true, args, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
}
