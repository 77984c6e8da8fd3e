// Owns one person in a browser: an unmodified livekit-client in a frame of its own, what it publishes, and what it sees and hears.
import { ExternalE2EEKeyProvider, Room, RoomEvent } from 'livekit-client';

let room;
let peopleLog = [];
let signalLog = [];
let speaking = new Set();
let loudness;
let screen;

/** A drawing that moves; the same at every run, so that runs can be compared. */
function drawnVideo({ width, height, framesPerSecond }) {
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

/** Noise and a tone: no two packets are alike. */
function sound(frequency) {
  const context = new AudioContext();
  const destination = context.createMediaStreamDestination();
  loudness = context.createGain();
  loudness.connect(destination);
  // Loops whose lengths have no common measure: together they repeat after days.
  for (const length of [96_001, 65_537, 43_691]) {
    const noise = context.createBuffer(1, length, context.sampleRate);
    const samples = noise.getChannelData(0);
    for (let index = 0; index < samples.length; index += 1) samples[index] = Math.random() * 0.06 - 0.03;
    const source = context.createBufferSource();
    source.buffer = noise;
    source.loop = true;
    source.connect(loudness);
    source.start();
  }
  const oscillator = context.createOscillator();
  oscillator.frequency.value = frequency;
  oscillator.connect(loudness);
  oscillator.start();
  return destination.stream.getAudioTracks()[0];
}

/** What others do, as this client hears of it. */
function logSignals() {
  signalLog = [];
  speaking = new Set();
  const log = (what, { identity }, value = '') => signalLog.push({ what, identity, value, atMs: Date.now() });
  room.on(RoomEvent.TrackMuted, (publication, participant) => log('muted', participant, publication.source));
  room.on(RoomEvent.TrackUnmuted, (publication, participant) => log('unmuted', participant, publication.source));
  room.on(RoomEvent.TrackPublished, (publication, participant) => log('published', participant, publication.source));
  room.on(RoomEvent.TrackUnpublished, (publication, participant) => log('unpublished', participant, publication.source));
  room.on(RoomEvent.ParticipantNameChanged, (name, participant) => log('name', participant, name));
  room.on(RoomEvent.ParticipantAttributesChanged, (changed, participant) => Object.entries(changed).forEach(([key, value]) => log(key, participant, value)));
  room.on(RoomEvent.ParticipantConnected, (participant) => log('came', participant));
  room.on(RoomEvent.ParticipantDisconnected, (participant) => log('left', participant));
  room.on(RoomEvent.ActiveSpeakersChanged, (speakers) => {
    const now = new Set(speakers);
    for (const participant of now) if (!speaking.has(participant)) log('speaks', participant);
    for (const participant of speaking) if (!now.has(participant)) log('is silent', participant);
    speaking = now;
  });
}

/** What this person does to be heard of. */
const acts = {
  mute: () => room.localParticipant.getTrackPublication('microphone').mute(),
  unmute: () => room.localParticipant.getTrackPublication('microphone').unmute(),
  speak: () => (loudness.gain.value = 1),
  fallSilent: () => (loudness.gain.value = 0),
  name: (name) => room.localParticipant.setName(name),
  raiseHand: (text) => room.localParticipant.setAttributes({ hand: text }),
  async shareScreen() {
    screen = await room.localParticipant.publishTrack(drawnVideo({ width: 640, height: 360, framesPerSecond: 5 }), { source: 'screen_share', name: 'screen', simulcast: false });
  },
  unshareScreen: () => room.localParticipant.unpublishTrack(screen.track, true),
  leave: () => room.disconnect(),
};

async function received(publication) {
  const receiver = publication.track?.receiver;
  if (receiver === undefined) return {};
  for (const report of (await receiver.getStats()).values()) {
    if (report.type === 'inbound-rtp') {
      const { packetsReceived = 0, packetsLost = 0, framesDecoded = 0, frameWidth = 0, totalAudioEnergy = 0, lastPacketReceivedTimestamp = 0, ssrc } = report;
      return { packets: packetsReceived, lost: packetsLost, frames: framesDecoded, width: frameWidth, energy: totalAudioEnergy, lastPacketAtMs: lastPacketReceivedTimestamp, ssrc };
    }
  }
  return {};
}

globalThis.person = {
  /** @param options.secret: end-to-end encryption with this key, livekit-client's own. */
  async connect(url, jwt, options = {}) {
    room?.disconnect();
    const e2ee = options.secret === undefined ? undefined : { keyProvider: new ExternalE2EEKeyProvider(), worker: new Worker('/e2ee.js') };
    room = new Room({ adaptiveStream: false, dynacast: false, disconnectOnPageLeave: false, ...(e2ee && { e2ee }) });
    peopleLog = [];
    logSignals();
    const note = (what) => (participant) => peopleLog.push({ what, identity: participant.identity, atMs: Date.now() });
    room.on(RoomEvent.ParticipantConnected, note('came'));
    room.on(RoomEvent.ParticipantDisconnected, note('left'));
    for (const event of ['reconnecting', 'signalReconnecting', 'reconnected', 'disconnected']) room.on(event, () => peopleLog.push({ what: event, identity: room.localParticipant.identity, atMs: Date.now() }));
    room.on(RoomEvent.TrackSubscribed, (track) => {
      // Pictures are decoded whether somebody looks or not; sound needs an element.
      if (track.kind === 'audio' || options.show !== false) document.body.append(track.attach());
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()));
    if (e2ee !== undefined) {
      globalThis.e2eeFrames = { send: [], receive: [] };
      e2ee.worker.addEventListener('message', ({ data }) => {
        if (data.drill !== undefined) globalThis.e2eeFrames[data.drill].push(data.digest);
      });
      await e2ee.keyProvider.setKey(options.secret);
      await room.setE2EEEnabled(true);
    }
    const startMs = performance.now();
    await room.connect(url, jwt, { peerConnectionTimeout: 30_000 });
    return performance.now() - startMs;
  },
  async disconnect() {
    await room?.disconnect();
    room = undefined;
  },
  async publish({ video, frequency }) {
    const { localParticipant } = room;
    if (video !== undefined) await localParticipant.publishTrack(drawnVideo(video), { source: 'camera', name: 'camera', simulcast: video.simulcast === true, degradationPreference: 'maintain-resolution', videoEncoding: { maxBitrate: video.maxBitrate ?? 200_000, maxFramerate: video.framesPerSecond } });
    if (frequency !== undefined) await localParticipant.publishTrack(sound(frequency), { source: 'microphone', name: 'microphone', dtx: false, red: false });
  },
  setSubscribed(on) {
    for (const participant of room.remoteParticipants.values()) for (const publication of participant.trackPublications.values()) publication.setSubscribed(on);
  },
  /** Every picture at this quality of simulcast: 0 low, 1 medium, 2 high. */
  setQuality(quality) {
    for (const participant of room.remoteParticipants.values()) for (const publication of participant.videoTrackPublications.values()) publication.setVideoQuality(quality);
  },
  async setMetadata(text) {
    await room.localParticipant.setMetadata(text);
  },
  /** @returns when it began, milliseconds since 1970; it is over when the answer comes */
  async act(what, value) {
    const atMs = Date.now();
    await acts[what](value);
    return atMs;
  },
  signals() {
    return signalLog;
  },
  people() {
    return peopleLog;
  },
  digests() {
    return globalThis.e2eeFrames;
  },
  arrivals() {
    return globalThis.drillArrivals ?? [];
  },
  async view() {
    const remote = await Promise.all([...room.remoteParticipants.values()].map(async (participant) => ({
      identity: participant.identity,
      sid: participant.sid,
      attributes: { ...participant.attributes },
      tracks: await Promise.all([...participant.trackPublications.values()].map(async (publication) => ({ sid: publication.trackSid, kind: publication.kind, subscribed: publication.isSubscribed === true, ...(await received(publication)) }))),
    })));
    return { state: room.state, identity: room.localParticipant.identity, remote };
  },
  /** What this person has sent. */
  async sent() {
    let bytes = 0;
    let packets = 0;
    for (const publication of room.localParticipant.trackPublications.values()) {
      for (const report of (await publication.track.sender.getStats()).values()) {
        if (report.type !== 'outbound-rtp') continue;
        bytes += report.bytesSent + report.headerBytesSent;
        packets += report.packetsSent;
      }
    }
    return { bytes, packets };
  },
  /** Every WebSocket and every remote address of this person, and what it told about itself. */
  async wires() {
    const remotes = new Set();
    const selected = new Set();
    const locals = new Set();
    const secrets = new Set();
    for (const peer of globalThis.drillPeers) {
      for (const text of [peer.localDescription?.sdp ?? '', peer.remoteDescription?.sdp ?? '']) {
        for (const [, value] of text.matchAll(/^a=(?:ice-ufrag|ice-pwd|fingerprint):(?:sha-256 )?(.+?)\r?$/gm)) secrets.add(value);
      }
      for (const line of (peer.localDescription?.sdp ?? '').matchAll(/^a=candidate:(.+?)\r?$/gm)) locals.add(line[1]);
      if (peer.connectionState === 'closed') continue;
      const stats = await peer.getStats();
      for (const report of stats.values()) {
        if (report.type === 'remote-candidate') remotes.add(`${report.address}:${report.port}`);
        if (report.type === 'local-candidate' && report.address) locals.add(report.address);
        if (report.type === 'transport' && report.selectedCandidatePairId !== undefined) {
          const remote = stats.get(stats.get(report.selectedCandidatePairId)?.remoteCandidateId);
          if (remote !== undefined) selected.add(`${remote.protocol} ${remote.address}:${remote.port}`);
        }
      }
    }
    return { sockets: [...new Set(globalThis.drillSockets)], remotes: [...remotes], selected: [...selected], locals: [...locals], secrets: [...secrets], userAgent: navigator.userAgent };
  },
};
