import type { Session } from '../clients/session';

/** Uploads an image of that tag, of which nothing can boot, into the project of who uploads it; gives how to delete it. */
export async function uploadImage(session: Session, tag: string): Promise<() => Promise<void>> {
  const image = { name: tag, tags: [tag], disk_format: 'raw', container_format: 'bare' };
  const { id } = await session.ask('image', 'POST', '/v2/images', image);
  let isThere = true;
  const remove = async (): Promise<void> => {
    if (isThere) await session.ask('image', 'DELETE', `/v2/images/${id}`);
    isThere = false;
  };
  const { status } = await fetch(`${session.endpoint('image')}/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { 'x-auth-token': session.token, 'content-type': 'application/octet-stream' },
    body: Buffer.alloc(1024),
  });
  if (status === 204) return remove;
  await remove();
  throw new Error(`the image was not taken: ${status}`);
}
