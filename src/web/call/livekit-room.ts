// Owns the LiveKit room behind the page's call: its options, and the port that the session drives.
import { DisconnectReason, type LocalParticipant, Room, RoomEvent, type RoomOptions, Track, VideoPresets } from 'livekit-client';
import type { MediaChoiceStore } from '../media/media-choice.ts';
import { deviceFault, type DeviceFault, type MediaKind } from '../media/device-error.ts';
import type { CallRoom } from './call-session.ts';
import { resumeDelayMs } from './back-off.ts';

const roomOptions: RoomOptions = {
  adaptiveStream: true,
  dynacast: true,
  // The bridge speaks the protocol with two peer connections; asking for one first costs two refused requests each time.
  singlePeerConnection: false,
  videoCaptureDefaults: { resolution: VideoPresets.h720.resolution },
  audioCaptureDefaults: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  // A muted microphone stays open: unmuting is instant, and headsets do not change their profile each time.
  publishDefaults: { simulcast: true, videoCodec: 'vp8', red: false, dtx: true, stopMicTrackOnMute: false },
  reconnectPolicy: { nextRetryDelayInMs: ({ retryCount }) => resumeDelayMs(retryCount, Math.random()) },
};

const signallingTimeoutMs = 6000;

/** Hears what a device of this page did not do. */
export type OnDeviceFault = (kind: MediaKind, fault: DeviceFault) => void;

export function createLiveKitRoom(): Room {
  return new Room(roomOptions);
}

/** Puts microphone or camera on or off the air; a device that fails is reported and counts as off. */
export async function setOnAir(
  participant: LocalParticipant, kind: 'camera' | 'microphone', choices: MediaChoiceStore, onFault: OnDeviceFault,
): Promise<void> {
  const choice = choices.get();
  try {
    if (kind === 'camera') await participant.setCameraEnabled(choice.camera, choice.cameraId === undefined ? undefined : { deviceId: choice.cameraId });
    else await participant.setMicrophoneEnabled(choice.microphone, choice.microphoneId === undefined ? undefined : { deviceId: choice.microphoneId });
  } catch (error) {
    choices.set({ [kind]: false });
    onFault(kind, deviceFault(error instanceof Error ? error.name : ''));
  }
}

/** The session's port over a LiveKit room. */
export function callRoomOver(room: Room, choices: MediaChoiceStore, onFault: OnDeviceFault): CallRoom {
  return {
    async connect({ url, jwt }) {
      await room.connect(url, jwt, { websocketTimeout: signallingTimeoutMs, maxRetries: 1 });
    },
    async publish() {
      const { speakerId, microphone, camera } = choices.get();
      if (speakerId !== undefined) await room.switchActiveDevice('audiooutput', speakerId).catch(() => choices.set({ speakerId: undefined }));
      await Promise.all([
        microphone && setOnAir(room.localParticipant, 'microphone', choices, onFault),
        camera && setOnAir(room.localParticipant, 'camera', choices, onFault),
      ]);
    },
    async disconnect() {
      await room.disconnect();
    },
    onDisconnected(listener) {
      room.on(RoomEvent.Disconnected, (reason) => listener(reason === undefined ? undefined : DisconnectReason[reason]));
    },
  };
}

/** Keeps the choice true when something else than the person's button mutes: the bridge, or a device that went away. */
export function followMutes(room: Room, choices: MediaChoiceStore, onMutedByOther: () => void): void {
  room.on(RoomEvent.TrackMuted, (publication, participant) => {
    if (!participant.isLocal) return;
    if (publication.source === Track.Source.Microphone && choices.get().microphone) {
      choices.set({ microphone: false });
      onMutedByOther();
    }
    if (publication.source === Track.Source.Camera) choices.set({ camera: false });
  });
}
