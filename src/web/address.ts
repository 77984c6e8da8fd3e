// Owns what the page's own address says: which call, in whose widget, in what language. No DOM.

/** The frame of a Matrix client that shows this page as a widget. */
export interface WidgetHost {
  readonly widgetId: string;
  readonly parentOrigin: string;
}

export interface PageAddress {
  readonly slug: string;
  /** Where the bridge's API lives, without a trailing slash: "https://visio.example". */
  readonly apiRoot: string;
  readonly widget?: WidgetHost;
  readonly userId?: string;
  readonly deviceId?: string;
  readonly language?: string;
  readonly theme?: 'light' | 'dark';
}

/** A host that does not know a template variable leaves it as it is: "$matrix_user_id". */
function filled(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name)?.trim() ?? '';
  return value === '' || value.startsWith('$') ? undefined : value;
}

function widgetHost(query: URLSearchParams): WidgetHost | undefined {
  const widgetId = filled(query, 'widgetId');
  const parentUrl = filled(query, 'parentUrl');
  if (widgetId === undefined || parentUrl === undefined || !URL.canParse(parentUrl)) return undefined;
  const { origin } = new URL(parentUrl);
  return origin === 'null' ? undefined : { widgetId, parentOrigin: origin };
}

/**
 * Reads the address of the page, "<root>/c/<slug>?…".
 * @param embedded whether the page is inside another page's frame: a widget's address opened in a tab of its own has no host to ask.
 * @returns undefined when the address names no call.
 */
export function parsePageAddress(href: string, embedded: boolean): PageAddress | undefined {
  const url = new URL(href);
  const match = /^(?<prefix>.*?)\/c\/(?<slug>[^/]+)\/?$/.exec(url.pathname);
  if (match?.groups === undefined) return undefined;
  const { prefix = '', slug = '' } = match.groups;
  const query = url.searchParams;
  const widget = embedded ? widgetHost(query) : undefined;
  const userId = filled(query, 'userId');
  const deviceId = filled(query, 'deviceId');
  const language = filled(query, 'lang');
  const theme = filled(query, 'theme');
  return {
    slug: decodeURIComponent(slug),
    apiRoot: url.origin + prefix,
    ...(widget && { widget }),
    ...(userId !== undefined && { userId }),
    ...(deviceId !== undefined && { deviceId }),
    ...(language !== undefined && { language }),
    ...((theme === 'light' || theme === 'dark') && { theme }),
  };
}
