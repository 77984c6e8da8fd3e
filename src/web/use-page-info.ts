// Owns the page's first question to the bridge: whose it is and what language it speaks.
import { useEffect, useState } from 'react';
import type { Refusal } from './api/refusal.ts';
import type { PageInfo } from './api/schemas.ts';
import { background } from './background.ts';
import { useServices } from './services.ts';

interface PageInfoState {
  readonly info?: PageInfo;
  readonly refusal?: Refusal;
  readonly retry: () => void;
}

export function usePageInfo(): PageInfoState {
  const { api } = useServices();
  const [round, setRound] = useState(0);
  const [answer, setAnswer] = useState<Omit<PageInfoState, 'retry'>>({});
  useEffect(() => {
    let current = true;
    background(api.page().then((result) => {
      if (current) setAnswer(result.ok ? { info: result.value } : { refusal: result.refusal });
    }), 'asking the bridge about itself');
    return () => {
      current = false;
    };
  }, [api, round]);
  return {
    ...answer,
    retry() {
      setAnswer({});
      setRound(round + 1);
    },
  };
}
