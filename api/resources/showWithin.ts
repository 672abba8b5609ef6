import type { Db } from '../../driver/db/connect';
import { readOne } from '../../driver/db/read/model';
import { NotFoundError } from '../../driver/domain/errors';
import type { Kind } from './kinds';

/** The view of one object, whoever asks. @throws NotFoundError */
export async function showWithin<R extends object, V extends object>(
  db: Db,
  kind: Pick<Kind<R, V>, 'model' | 'view' | 'title'>,
  id: string,
): Promise<V> {
  const row = await readOne<R>(db, kind.model, id);
  if (!row) throw new NotFoundError(kind.title, id);
  return kind.view(row);
}
