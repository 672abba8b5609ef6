import { ValidationError } from '../../driver/domain/errors';
import type { Given } from './bodies';

/**
 * The tags of a request; null and absent are none. Blanks at the end make no difference, as MySQL sees no key in them.
 * @throws ValidationError for a tag given twice (where Octavia fails with 500)
 */
export function readTags(tags: Given<readonly string[]>): readonly string[] {
  const given = tags ?? [];
  const seen = new Set<string>();
  const twice = given.find((tag) => {
    const key = tag.replace(/ +$/, '');
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
  if (twice !== undefined) throw new ValidationError(`Tag '${twice}' is given more than once.`);
  return given;
}
