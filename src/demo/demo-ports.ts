// Owns which ports the demo takes, by number and use.
import { type Organisation, organisationPorts } from './organisations.ts';
import type { WantedPort } from './ports.ts';

const pageOffset = 40;

/** Where the page with all columns is. */
export function pagePort(basePort: number): number {
  return basePort - pageOffset;
}

/** @param bridges how many of the organisations, from the first on, have a bridge. */
export function demoPorts(basePort: number, organisations: readonly Organisation[], bridges: number): readonly WantedPort[] {
  const ofHomeserver = (organisation: Organisation, index: number): readonly WantedPort[] => {
    const { federation, client } = organisationPorts(basePort, index);
    return [tcp(federation, `homeserver ${organisation.id}, federation`), tcp(client, `homeserver ${organisation.id}, clients`)];
  };
  const ofBridge = ({ id }: Organisation, index: number): readonly WantedPort[] => {
    const { appservice, page, metrics, media, cascade, last } = organisationPorts(basePort, index);
    return [
      tcp(appservice, `bridge ${id}, for its homeserver`),
      tcp(page, `bridge ${id}, call page`),
      tcp(metrics, `bridge ${id}, metrics`),
      ...range(media, cascade - 1).flatMap((port) => [tcp(port, `bridge ${id}, media`), udp(port, `bridge ${id}, media`)]),
      ...range(cascade, last).map((port) => udp(port, `bridge ${id}, other bridges`)),
    ];
  };
  return [tcp(pagePort(basePort), 'the demo\'s page'), ...organisations.flatMap(ofHomeserver), ...organisations.slice(0, bridges).flatMap(ofBridge)];
}

function tcp(port: number, use: string): WantedPort {
  return { port, use, protocol: 'tcp' };
}

function udp(port: number, use: string): WantedPort {
  return { port, use, protocol: 'udp' };
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
