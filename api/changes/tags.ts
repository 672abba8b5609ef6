import { ValidationError } from '../../driver/domain/errors';
import type { Given } from './bodies';

/**
 * The tags of a request; null and absent are none.
 * @throws ValidationError for a tag given twice (where Octavia fails with 500)
 */
export function readTags(tags: Given<readonly string[]>): readonly string[] {
  const given = tags ?? [];
  const twice = given.find((tag, index) => given.indexOf(tag) !== index);
  if (twice !== undefined) throw new ValidationError(`Tag '${twice}' is given more than once.`);
  return given;
}
