// Owns the short sound that shows which speaker is chosen.

const notesHz = [523.25, 659.25, 783.99] as const;
const noteSeconds = 0.22;

function play(context: AudioContext, output: AudioNode): void {
  for (const [index, frequency] of notesHz.entries()) {
    const startsAt = context.currentTime + index * noteSeconds;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, startsAt);
    volume.gain.exponentialRampToValueAtTime(0.25, startsAt + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.0001, startsAt + noteSeconds);
    tone.connect(volume).connect(output);
    tone.start(startsAt);
    tone.stop(startsAt + noteSeconds);
  }
}

/** Plays three notes on a speaker; resolves when they are over. @param speakerId undefined: the system's choice. */
export async function playTestSound(speakerId: string | undefined): Promise<void> {
  const context = new AudioContext();
  try {
    const output = context.createMediaStreamDestination();
    const player = new Audio();
    player.srcObject = output.stream;
    if (speakerId !== undefined && 'setSinkId' in player) await player.setSinkId(speakerId);
    await player.play();
    play(context, output);
    await new Promise((resolve) => setTimeout(resolve, (notesHz.length * noteSeconds + 0.3) * 1000));
    player.srcObject = null;
  } finally {
    await context.close();
  }
}
