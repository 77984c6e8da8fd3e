// Owns the screen before the call: see yourself, choose devices, join.
import { type ReactNode, useState } from 'react';
import { background } from '../background.ts';
import { canChooseSpeaker } from '../media/capture.ts';
import { deviceFaultMessage } from '../media/device-error.ts';
import { useDevices } from '../media/use-devices.ts';
import { type Preview, usePreview } from '../media/use-preview.ts';
import { useMediaChoice, useServices, useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';
import { Paper } from '../ui/message-page.tsx';
import { CameraPreview } from './camera-preview.tsx';
import { DeviceSelect } from './device-select.tsx';
import { LevelMeter } from './level-meter.tsx';
import { SignedInAs } from './signed-in-as.tsx';
import { SpeakerField } from './speaker-field.tsx';

function Fault({ kind, preview, onRetry }: { readonly kind: 'camera' | 'microphone'; readonly preview: Preview; readonly onRetry: () => void }): ReactNode {
  const t = useTranslate();
  if (preview.kind !== 'failed') return null;
  return (
    <p className="fault" role="alert" data-testid={`${kind}-fault`} data-fault={preview.fault}>
      <Icon name="warning" />
      <span>
        {t(deviceFaultMessage(kind, preview.fault))}
        {preview.fault !== 'insecure' && <> <button type="button" className="link" onClick={onRetry}>{t('prejoin.ask-access')}</button></>}
      </span>
    </p>
  );
}

function Toggle({ kind, on, onToggle }: { readonly kind: 'camera' | 'microphone'; readonly on: boolean; readonly onToggle: () => void }): ReactNode {
  const t = useTranslate();
  const label = kind === 'microphone' ? t(on ? 'control.mute' : 'control.unmute') : t(on ? 'control.camera-stop' : 'control.camera-start');
  return (
    <button type="button" className="round" aria-pressed={on} aria-label={label} title={label} data-off={!on} data-testid={`preview-${kind}`} onClick={onToggle}>
      <Icon name={on ? kind : `${kind}-off`} />
    </button>
  );
}

export function PrejoinPage({ organisation, joining }: { readonly organisation: string; readonly joining: boolean }): ReactNode {
  const t = useTranslate();
  const { choices, session } = useServices();
  const choice = useMediaChoice();
  const [round, setRound] = useState(0);
  const camera = usePreview('camera', choice.camera, choice.cameraId, round);
  const microphone = usePreview('microphone', choice.microphone, choice.microphoneId, round);
  const devices = useDevices(`${camera.kind} ${microphone.kind}`);
  const retry = (): void => setRound(round + 1);
  const toggle = (kind: 'camera' | 'microphone', preview: Preview): void => {
    if (preview.kind === 'failed') retry();
    else choices.set({ [kind]: !choice[kind] });
  };
  const nothingOnAir = camera.kind !== 'on' && camera.kind !== 'starting' && microphone.kind !== 'on' && microphone.kind !== 'starting';
  const join = (): void => {
    // A device that fails here would fail again inside: go in without it.
    choices.set({ camera: choice.camera && camera.kind !== 'failed', microphone: choice.microphone && microphone.kind !== 'failed' });
    background(session.join(), 'joining');
  };
  return (
    <Paper organisation={organisation} wide testId="prejoin">
      <div className="prejoin">
        <div className="preview">
          <CameraPreview preview={camera} />
          <div className="preview-controls">
            <Toggle kind="microphone" on={choice.microphone && microphone.kind !== 'failed'} onToggle={() => toggle('microphone', microphone)} />
            <Toggle kind="camera" on={choice.camera && camera.kind !== 'failed'} onToggle={() => toggle('camera', camera)} />
          </div>
        </div>
        <div className="prejoin-form">
          <h1>{t('prejoin.title')}</h1>
          <SignedInAs />
          <div className="fields">
            <DeviceSelect kind="microphone" devices={devices.microphones} chosen={choice.microphoneId} onChoose={(id) => choices.set({ microphoneId: id })} />
            {microphone.kind !== 'failed' && <LevelMeter stream={microphone.kind === 'on' ? microphone.stream : undefined} />}
            <Fault kind="microphone" preview={microphone} onRetry={retry} />
            <DeviceSelect kind="camera" devices={devices.cameras} chosen={choice.cameraId} onChoose={(id) => choices.set({ cameraId: id })} />
            <Fault kind="camera" preview={camera} onRetry={retry} />
            {canChooseSpeaker() && <SpeakerField speakers={devices.speakers} />}
          </div>
          <div className="actions">
            <button type="button" className="button button-large" data-testid="join-button" disabled={joining} aria-busy={joining} onClick={join}>
              {joining && <span className="spinner" aria-hidden="true" />}
              {t(joining ? 'prejoin.joining' : nothingOnAir ? 'prejoin.join-without' : 'prejoin.join')}
            </button>
          </div>
        </div>
      </div>
    </Paper>
  );
}
