import { splitIds } from '../../driver/db/codecs';

/** `[{id}, ...]` out of a list of ids as the database puts it together. */
export function idObjects(ids: string | null): { id: string }[] {
  return splitIds(ids).map((id) => ({ id }));
}
