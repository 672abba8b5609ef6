/**
 * Ids that rise in the order in which they are handed out, one for each object of the document at most. Rows of one
 * transaction share their time of creation, so lists, which sort by time and id, show them as the document had them.
 */
export function orderedIds(document: unknown, newId: () => string): () => string {
  const ids = Array.from({ length: countObjects(document) }, newId).sort();
  let next = 0;
  return () => ids[next++] ?? newId();
}

function countObjects(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0;
  const below = Object.values(value).reduce((sum: number, item) => sum + countObjects(item), 0);
  return Array.isArray(value) ? below : below + 1;
}
