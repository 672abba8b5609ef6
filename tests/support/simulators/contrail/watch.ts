import type { ServerResponse } from 'node:http';
import type { Database, Entity } from './database';
import { writeJson } from './json';
import { showEntity } from './view';

/** `GET /watch?resource_type=a,b`: all objects of the types, then what changes, as server-sent events. */
export function watchChanges(db: Database, request: URL, response: ServerResponse): void {
  const types = (request.searchParams.get('resource_type') ?? '').split(',').map((type) => type.replaceAll('_', '-'));
  const shape = { base: undefined, fields: undefined, children: false, backRefs: false };
  const show = (entity: Entity) => ({ [entity.type]: showEntity(db, entity, shape) });
  const send = (event: string, data: string): void => void response.write(`event: ${event}\ndata: ${data}\n\n`);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  for (const type of types) {
    send('init', writeJson({ [`${type}s`]: [...db.all(type)].map(show) }));
  }
  const stop = db.onChange(({ type, uuid, operation }) => {
    if (!types.includes(type)) return;
    const entity = db.get(uuid);
    send(operation.toLowerCase(), entity ? writeJson(show(entity)) : writeJson({ [type]: { uuid } }));
  });
  response.on('close', stop);
}
