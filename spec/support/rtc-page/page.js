// Owns the page of the client specs: an unmodified livekit-client driven by name, in plain words.
import { Room, RoomEvent, VideoQuality } from 'livekit-client';

const rooms = new Map();
const qualities = { low: VideoQuality.LOW, medium: VideoQuality.MEDIUM, high: VideoQuality.HIGH };

function roomOf(name) {
  const entry = rooms.get(name);
  if (entry === undefined) throw new Error(`no room object ${name}`);
  return entry;
}

function publicationOf(name, identity, source) {
  const participant = roomOf(name).room.remoteParticipants.get(identity);
  const publication = participant?.getTrackPublication(source);
  if (publication === undefined) throw new Error(`${name} sees no ${source} of ${identity}`);
  return publication;
}

/** A drawing that moves, so that the encoder has something to do. */
function drawnVideo(width, height, framesPerSecond) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  let step = 0;
  setInterval(() => {
    step += 1;
    context.fillStyle = `hsl(${step * 7 % 360} 60% 50%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = 'white';
    context.fillRect(step * 5 % width, 0, width / 8, height);
  }, 1000 / framesPerSecond);
  return canvas.captureStream(framesPerSecond).getVideoTracks()[0];
}

function tone(frequency) {
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  oscillator.frequency.value = frequency;
  const destination = context.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  return destination.stream.getAudioTracks()[0];
}

/** What has arrived of one track, from the browser's own statistics. */
async function receivedOf(publication) {
  const receiver = publication.track?.receiver;
  if (receiver === undefined) return {};
  for (const report of (await receiver.getStats()).values()) {
    if (report.type === 'inbound-rtp') {
      return { frames: report.framesDecoded ?? 0, width: report.frameWidth ?? 0, height: report.frameHeight ?? 0, packets: report.packetsReceived ?? 0, energy: report.totalAudioEnergy ?? 0 };
    }
  }
  return {};
}

globalThis.rtc = {
  async connect(name, url, ticket, options = {}) {
    const room = new Room({ adaptiveStream: false, dynacast: false, disconnectOnPageLeave: false, ...options });
    const events = [];
    rooms.get(name)?.room.disconnect();
    rooms.set(name, { room, events });
    for (const event of ['connected', 'reconnecting', 'reconnected', 'disconnected', 'trackSubscriptionFailed', 'localTrackSubscribed', 'trackStreamStateChanged']) {
      room.on(event, (...args) => events.push(event === 'disconnected' ? `disconnected:${args[0]}` : event));
    }
    room.on(RoomEvent.TrackSubscribed, (track) => document.body.append(track.attach()));
    room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()));
    await room.connect(url, ticket, { peerConnectionTimeout: 30000 });
  },
  async disconnect(name) {
    await roomOf(name).room.disconnect();
  },
  async microphone(name, on) {
    await roomOf(name).room.localParticipant.setMicrophoneEnabled(on);
  },
  async camera(name, on) {
    await roomOf(name).room.localParticipant.setCameraEnabled(on, { resolution: { width: 1280, height: 720, frameRate: 15 } });
  },
  /** The tab itself, with its sound. */
  async screen(name, on) {
    await roomOf(name).room.localParticipant.setScreenShareEnabled(on, { audio: true, video: true, preferCurrentTab: true, selfBrowserSurface: 'include', systemAudio: 'include' });
  },
  /** For pages that hold many people: a small picture, a tone, no capture. */
  async publishDrawn(name, { width, height, framesPerSecond, frequency, source = 'camera', audioSource = 'microphone', simulcast = true, stereo = false }) {
    const { localParticipant } = roomOf(name).room;
    await localParticipant.publishTrack(drawnVideo(width, height, framesPerSecond), { source, simulcast, name: source });
    if (frequency > 0) await localParticipant.publishTrack(tone(frequency), { source: audioSource, name: audioSource, forceStereo: stereo });
  },
  /** Removes the track of that source. */
  async unpublish(name, source) {
    const { localParticipant } = roomOf(name).room;
    const publication = localParticipant.getTrackPublication(source);
    if (publication?.track !== undefined) await localParticipant.unpublishTrack(publication.track);
  },
  wishQuality(name, identity, source, quality) {
    publicationOf(name, identity, source).setVideoQuality(qualities[quality]);
  },
  wishSize(name, identity, source, width, height) {
    publicationOf(name, identity, source).setVideoDimensions({ width, height });
  },
  /** The tile's width on the page, which adaptive streams go by; 0 hides it. */
  tileWidth(name, identity, source, width) {
    for (const element of publicationOf(name, identity, source).track?.attachedElements ?? []) {
      element.style.width = `${width}px`;
      element.style.display = width === 0 ? 'none' : 'block';
    }
  },
  enable(name, identity, source, on) {
    publicationOf(name, identity, source).setEnabled(on);
  },
  subscribe(name, identity, source, on) {
    publicationOf(name, identity, source).setSubscribed(on);
  },
  async setAttributes(name, attributes) {
    await roomOf(name).room.localParticipant.setAttributes(attributes);
  },
  async setMetadata(name, metadata) {
    await roomOf(name).room.localParticipant.setMetadata(metadata);
  },
  /** Everything a spec looks at. */
  async view(name) {
    const { room, events } = roomOf(name);
    const describe = async (participant) => ({
      identity: participant.identity,
      sid: participant.sid,
      name: participant.name ?? '',
      quality: participant.connectionQuality,
      speaking: participant.isSpeaking,
      attributes: { ...participant.attributes },
      metadata: participant.metadata ?? '',
      sources: (participant.permissions?.canPublishSources ?? []).length,
      tracks: await Promise.all([...participant.trackPublications.values()].map(async (publication) => ({
        sid: publication.trackSid,
        source: publication.source,
        muted: publication.isMuted,
        subscribed: publication.isSubscribed === true,
        mimeType: publication.mimeType ?? '',
        layers: publication.trackInfo?.layers.length ?? 0,
        ...(participant === room.localParticipant ? {} : await receivedOf(publication)),
      }))),
    });
    return {
      state: room.state,
      events: [...events],
      count: room.numParticipants,
      roomSid: await room.getSid(),
      speakers: room.activeSpeakers.map(({ identity }) => identity),
      local: await describe(room.localParticipant),
      remote: await Promise.all([...room.remoteParticipants.values()].map(describe)),
    };
  },
};

