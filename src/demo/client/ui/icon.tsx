// Owns the drawings of the page, as strokes in the colour of the text.
import type { ReactNode } from 'react';

const drawings = {
  camera: <><rect x="3" y="6.5" width="12" height="11" rx="2" /><path d="M15 10.5l5.5-3v9l-5.5-3" /></>,
  people: <><circle cx="9" cy="8.5" r="3.2" /><path d="M3 19c.6-3.4 3-5.2 6-5.2s5.4 1.8 6 5.200M15.5 5.600a3.2 3.2 0 0 1 0 5.800M17.5 14.300c2 .7 3.2 2.3 3.5 4.7" /></>,
  send: <path d="M4 12l16-7.5-4.5 15.5-3.5-6.500zM12 13.500l8-9" />,
  close: <path d="M6 6l12 12M18 6 6 18" />,
  larger: <path d="M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5" />,
  smaller: <path d="M4 9h5V4M20 9h-5V4M4 15h5v5M20 15h-5v5" />,
  ended: <><circle cx="12" cy="12" r="8.5" /><path d="M8.5 12.300l2.5 2.5 4.8-5.3" /></>,
} as const;

export function Icon({ name }: { readonly name: keyof typeof drawings }) {
  return <Drawing>{drawings[name]}</Drawing>;
}

function Drawing({ children }: { readonly children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {children}
    </svg>
  );
}

/** A viaduct: the product's mark. */
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="4" fill="currentColor" />
      <path d="M4 20h24M8 20v-3a4 4 0 0 1 8 0v3m0 0v-3a4 4 0 0 1 8 0v3" fill="none" stroke="#fff" strokeWidth="2.2" strokeLinecap="round" />
    </svg>
  );
}
