// Owns the small menu beside a button in which devices are changed during the call.
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { deviceName } from '../media/device-name.ts';
import { useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';

interface DeviceChoice {
  readonly kind: 'camera' | 'microphone' | 'speaker';
  readonly devices: readonly MediaDeviceInfo[];
  readonly chosen: string | undefined;
}

interface DeviceMenuProps {
  readonly label: string;
  readonly choices: readonly DeviceChoice[];
  readonly onChoose: (kind: DeviceChoice['kind'], deviceId: string) => void;
}

function DeviceList({ choice: { kind, devices, chosen }, onChoose }: { readonly choice: DeviceChoice; readonly onChoose: DeviceMenuProps['onChoose'] }): ReactNode {
  const t = useTranslate();
  const group = useId();
  const current = devices.some((device) => device.deviceId === chosen) ? chosen : devices[0]?.deviceId;
  return (
    <fieldset>
      <legend>{t(`device.${kind}`)}</legend>
      {devices.length === 0 && <p>{t('device.none')}</p>}
      {devices.map((device, index) => (
        <label key={device.deviceId} className="menu-item">
          <input type="radio" name={group} checked={device.deviceId === current} onChange={() => onChoose(kind, device.deviceId)} />
          <span>{deviceName(t, kind, device.label, index)}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function DeviceMenu({ label, choices, onChoose }: DeviceMenuProps): ReactNode {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    place.current?.querySelector<HTMLInputElement>('input:checked')?.focus();
    const onPointer = (event: PointerEvent): void => {
      if (event.target instanceof Node && place.current?.contains(event.target) === false) setOpen(false);
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    addEventListener('pointerdown', onPointer);
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('pointerdown', onPointer);
      removeEventListener('keydown', onKey);
    };
  }, [open]);
  return (
    <div className="menu-place" ref={place}>
      <button ref={button} type="button" className="control-more" aria-label={label} title={label} aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        <Icon name="up" />
      </button>
      {open && (
        <div className="menu" role="dialog" aria-label={label}>
          {choices.map((choice) => <DeviceList key={choice.kind} choice={choice} onChoose={onChoose} />)}
        </div>
      )}
    </div>
  );
}
