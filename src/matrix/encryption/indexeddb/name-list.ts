// Owns lists of names as IndexedDB gives them out: sorted, with contains() and item().

export interface NameList extends ReadonlyArray<string> {
  contains(name: string): boolean;
  item(index: number): string | null;
}

export function nameList(names: readonly string[]): NameList {
  const sorted = names.toSorted();
  return Object.assign(sorted, { contains: (name: string) => sorted.includes(name), item: (index: number) => sorted[index] ?? null });
}
