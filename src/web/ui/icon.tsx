// Owns the icons: strokes on a grid of 24, in the colour of the text.
import type { ReactNode } from 'react';

const microphone = <><rect x="9" y="3" width="6" height="11" rx="3" /><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M8.5 21h7" /></>;
const camera = <><rect x="2.5" y="6" width="13" height="12" rx="2.5" /><path d="m15.5 10.5 6-3.5v10l-6-3.5" /></>;
const slash = <path d="M3.5 3.5l17 17" />;

const icons = {
  microphone,
  'microphone-off': <>{microphone}{slash}</>,
  camera,
  'camera-off': <>{camera}{slash}</>,
  screen: <><rect x="2.5" y="4" width="19" height="13" rx="2" /><path d="M12 13.5v-6M9 10l3-3 3 3M8 21h8" /></>,
  'screen-stop': <><rect x="2.5" y="4" width="19" height="13" rx="2" /><path d="m9.5 8 5 5M14.5 8l-5 5M8 21h8" /></>,
  people: <><circle cx="9" cy="8" r="3.5" /><path d="M2.5 20a6.5 6.5 0 0 1 13 0M15.5 4.8a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8" /></>,
  grid: <><rect x="3" y="4" width="8" height="7" rx="1.5" /><rect x="13" y="4" width="8" height="7" rx="1.5" /><rect x="3" y="13" width="8" height="7" rx="1.5" /><rect x="13" y="13" width="8" height="7" rx="1.5" /></>,
  focus: <><rect x="3" y="4" width="18" height="10" rx="1.5" /><path d="M3.5 18.5h4M10 18.5h4M16.5 18.5h4" /></>,
  help: <><circle cx="12" cy="12" r="9" /><path d="M9.3 9.3a2.8 2.8 0 1 1 3.9 2.6c-.8.4-1.2.9-1.2 1.9M12 17h.01" /></>,
  leave: <path d="M3 15.5c-.6-1.8.2-3.4 2-4.3 4.3-2.2 9.700-2.2 14 0 1.8.9 2.600 2.5 2 4.3l-.2.7c-.2.6-.8 1-1.4.8l-3-.8c-.6-.2-.9-.7-.9-1.2v-2a12 12 0 0 0-7 0v2c0 .5-.3 1-.9 1.2l-3 .8c-.6.2-1.2-.2-1.4-.8z" fill="currentColor" stroke="none" />,
  up: <path d="m7 14.5 5-5 5 5" />,
  previous: <path d="m14.5 6-6 6 6 6" />,
  next: <path d="m9.5 6 6 6-6 6" />,
  close: <path d="M6 6l12 12M18 6 6 18" />,
  enlarge: <path d="M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7" />,
  reduce: <path d="M20 10h-6V4M14 10l7-7M4 14h6v6M10 14l-7 7" />,
  copy: <><rect x="8" y="8" width="12" height="12" rx="2" /><path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2" /></>,
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  speaker: <><path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" /></>,
  warning: <><path d="M12 4 2.5 20h19zM12 10v4.5M12 17.3h.01" /></>,
} as const;

export type IconName = keyof typeof icons;

/** Decoration only: whoever uses it says in words what it means. */
export function Icon({ name }: { readonly name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      {icons[name]}
    </svg>
  );
}
