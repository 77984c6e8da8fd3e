// Owns the passing messages: shown for some seconds and read out by screen readers.

interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: 'info' | 'alert';
}

export interface Notices {
  readonly list: () => readonly Notice[];
  readonly subscribe: (listener: () => void) => () => void;
  readonly say: (text: string, tone?: Notice['tone']) => void;
  readonly dismiss: (id: number) => void;
}

const shownMs = { info: 4500, alert: 9000 } as const;
const mostShown = 2;

export function createNotices(): Notices {
  let notices: readonly Notice[] = [];
  let lastId = 0;
  const listeners = new Set<() => void>();
  const become = (next: readonly Notice[]): void => {
    notices = next;
    for (const listener of listeners) listener();
  };
  const dismiss = (id: number): void => become(notices.filter((notice) => notice.id !== id));
  return {
    list: () => notices,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    say(text, tone = 'info') {
      const id = ++lastId;
      become([...notices.filter((notice) => notice.text !== text), { id, text, tone }].slice(-mostShown));
      setTimeout(() => dismiss(id), shownMs[tone]);
    },
    dismiss,
  };
}
