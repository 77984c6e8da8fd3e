// Owns the buttons of the call.
import type { ReactNode } from 'react';
import { canChooseSpeaker } from '../media/capture.ts';
import { useDevices } from '../media/use-devices.ts';
import { useMediaChoice, useTranslate } from '../services.ts';
import { Icon, type IconName } from '../ui/icon.tsx';
import { DeviceMenu } from './device-menu.tsx';
import type { View } from './layout.ts';
import type { OnAir } from './use-on-air.ts';
import type { ScreenShare } from './use-screen-share.ts';

interface ControlProps {
  readonly icon: IconName;
  readonly label: string;
  readonly shortcut?: string;
  readonly testId: string;
  readonly pressed?: boolean;
  readonly tone?: 'off' | 'on';
  readonly disabled?: boolean;
  /** Not disabled meanwhile: the keyboard would lose its place. */
  readonly busy?: boolean;
  readonly className?: string;
  readonly onPress: () => void;
}

function Control({ icon, label, shortcut, testId, pressed, tone, disabled = false, busy = false, className = '', onPress }: ControlProps): ReactNode {
  return (
    <button
      type="button"
      className={`control ${className}`}
      data-testid={testId}
      data-tone={tone}
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={shortcut}
      title={shortcut === undefined ? label : `${label} (${shortcut.toUpperCase()})`}
      disabled={disabled}
      aria-busy={busy}
      onClick={onPress}
    >
      <Icon name={icon} />
    </button>
  );
}

interface ControlBarProps {
  readonly onAir: OnAir;
  readonly share: ScreenShare;
  readonly connected: boolean;
  readonly view: View;
  readonly peopleOpen: boolean;
  readonly onPeople: () => void;
  readonly onLayout: () => void;
  readonly onHelp: () => void;
  readonly onLeave: () => void;
}

export function ControlBar({ onAir, share, connected, view, peopleOpen, onPeople, onLayout, onHelp, onLeave }: ControlBarProps): ReactNode {
  const t = useTranslate();
  const choice = useMediaChoice();
  const devices = useDevices(`${choice.camera} ${choice.microphone}`);
  const sounds = [
    { kind: 'microphone', devices: devices.microphones, chosen: choice.microphoneId } as const,
    ...(canChooseSpeaker() ? [{ kind: 'speaker', devices: devices.speakers, chosen: choice.speakerId } as const] : []),
  ];
  return (
    <div className="bar" role="group" aria-label={t('control.toolbar')}>
      <div className="bar-group">
        <span className="split">
          <Control icon={onAir.microphone ? 'microphone' : 'microphone-off'} label={t(onAir.microphone ? 'control.mute' : 'control.unmute')} shortcut="m" testId="toggle-mic" pressed={onAir.microphone} {...(!onAir.microphone && { tone: 'off' })} busy={onAir.busy} onPress={() => onAir.toggle('microphone')} />
          <DeviceMenu label={t('control.audio-devices')} choices={sounds} onChoose={onAir.chooseDevice} />
        </span>
        <span className="split">
          <Control icon={onAir.camera ? 'camera' : 'camera-off'} label={t(onAir.camera ? 'control.camera-stop' : 'control.camera-start')} shortcut="v" testId="toggle-camera" pressed={onAir.camera} {...(!onAir.camera && { tone: 'off' })} busy={onAir.busy} onPress={() => onAir.toggle('camera')} />
          <DeviceMenu label={t('control.video-devices')} choices={[{ kind: 'camera', devices: devices.cameras, chosen: choice.cameraId }]} onChoose={onAir.chooseDevice} />
        </span>
        {share.possible && (
          <Control icon={share.sharing ? 'screen-stop' : 'screen'} label={t(share.sharing ? 'control.share-stop' : 'control.share')} shortcut="s" testId="toggle-share" pressed={share.sharing} {...(share.sharing && { tone: 'on' })} disabled={!connected} onPress={share.toggle} />
        )}
      </div>
      <div className="bar-group">
        <Control icon={view === 'grid' ? 'focus' : 'grid'} label={t(view === 'grid' ? 'control.layout-focus' : 'control.layout-grid')} shortcut="l" testId="toggle-layout" onPress={onLayout} />
        <Control icon="people" label={t('control.people')} shortcut="p" testId="toggle-people" pressed={peopleOpen} {...(peopleOpen && { tone: 'on' })} onPress={onPeople} />
        <Control icon="help" label={t('control.help')} shortcut="?" testId="open-help" className="control-help" onPress={onHelp} />
      </div>
      <button type="button" className="leave" data-testid="leave-button" title={t('control.leave')} onClick={onLeave}>
        <Icon name="leave" />
        <span>{t('control.leave')}</span>
      </button>
    </div>
  );
}
