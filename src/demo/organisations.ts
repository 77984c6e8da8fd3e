// Owns who takes part in the demo and in the specs: organisations, their people, their ports.

export type Language = 'fr' | 'en';

export interface Organisation {
  /** Also the homeserver's host: "<id>.localhost". */
  readonly id: string;
  readonly name: Readonly<Record<Language, string>>;
  readonly person: { readonly localpart: string; readonly displayName: string; readonly password: string };
}

const interieur: Organisation = {
  id: 'interieur',
  name: { fr: 'Intérieur', en: 'Interior' },
  person: { localpart: 'alice', displayName: 'Alice Bernard', password: 'demo-alice' },
};
const finances: Organisation = {
  id: 'finances',
  name: { fr: 'Finances', en: 'Finance' },
  person: { localpart: 'bob', displayName: 'Bob Moreau', password: 'demo-bob' },
};
const defense: Organisation = {
  id: 'defense',
  name: { fr: 'Défense', en: 'Defence' },
  person: { localpart: 'carole', displayName: 'Carole Lefèvre', password: 'demo-carole' },
};

/** In the order of their ports. */
export const organisations = [interieur, finances, defense] as const;

export interface OrganisationPorts {
  /** Federation over TLS; part of the server name. */
  readonly federation: number;
  /** The homeserver's client API, clear text. */
  readonly client: number;
  /** The bridge's listener for its homeserver. */
  readonly appservice: number;
  /** The bridge's page, API and signalling. */
  readonly page: number;
  readonly metrics: number;
  /** UDP and TCP of the first mediasoup worker; each further worker has the next port. */
  readonly media: number;
  /** UDP to and from other bridges, up to and including the last port. */
  readonly cascade: number;
  readonly last: number;
}

/** Ten ports for each organisation, the first of them `basePort`. */
export function organisationPorts(basePort: number, index: number): OrganisationPorts {
  const first = basePort + 10 * index;
  return { federation: first, client: first + 1, appservice: first + 2, page: first + 3, metrics: first + 4, media: first + 5, cascade: first + 7, last: first + 9 };
}

export function hostOf(organisation: Organisation): string {
  return `${organisation.id}.localhost`;
}
