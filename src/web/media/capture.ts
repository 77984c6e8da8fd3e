// Owns opening devices for the preview, outside any call.

/** Whether the browser lets this page see devices at all: it does only over https or on this very machine. */
export const canCapture = (): boolean => 'mediaDevices' in navigator;

/** Whether the person can choose where the sound goes. */
export const canChooseSpeaker = (): boolean => 'setSinkId' in HTMLMediaElement.prototype;

/** Whether a screen can be shared from here (not on phones). */
export const canShareScreen = (): boolean => canCapture() && 'getDisplayMedia' in navigator.mediaDevices;

const wanted = (deviceId: string | undefined): MediaTrackConstraints => (deviceId === undefined ? {} : { deviceId: { ideal: deviceId } });

/** Opens a camera or microphone. @throws DOMException, or an error named InsecureContextError. */
export async function openDevice(kind: 'camera' | 'microphone', deviceId: string | undefined): Promise<MediaStream> {
  if (!canCapture()) throw Object.assign(new Error('no devices over plain http'), { name: 'InsecureContextError' });
  return navigator.mediaDevices.getUserMedia(
    kind === 'camera'
      ? { video: { ...wanted(deviceId), width: { ideal: 1280 }, height: { ideal: 720 } } }
      : { audio: { ...wanted(deviceId), echoCancellation: true, noiseSuppression: true, autoGainControl: true } },
  );
}

export function closeStream(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
