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

/**
 * Ordinary users' browsers keep their sandbox; root's cannot. It ends with this process, however that dies.
 * @param cameraFile what its camera shows, as yuv4mpeg; default: Chromium's test picture.
 */
export async function launchChromium({ cameraFile }: { readonly cameraFile?: string } = {}): Promise<Browser> {
  const args = [...flags, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...(cameraFile === undefined ? [] : [`--use-file-for-fake-video-capture=${cameraFile}`])];
  // Signals are ours to handle: the browser is closed in its turn.
  return chromium.launch({ executablePath: toolPath('VIADUC_CHROMIUM'), headless: true, args, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
}
