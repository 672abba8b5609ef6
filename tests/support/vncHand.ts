/** Somebody else at Contrail's configuration API: an operator, a script, a tenant's tool. */
export interface VncHand {
  link(type: string, id: string, refType: string, refId: string, operation: 'ADD' | 'DELETE'): Promise<void>;
  put(type: string, id: string, members: object): Promise<void>;
  make(type: string, members: object): Promise<void>;
  remove(type: string, id: string): Promise<void>;
}

export function vncHand(url: string): VncHand {
  const ask = async (method: string, path: string, body?: object): Promise<void> => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  };
  return {
    link: (type, uuid, refType, refUuid, operation) =>
      ask('POST', '/ref-update', { type, uuid, 'ref-type': refType, 'ref-uuid': refUuid, operation, attr: null }),
    put: (type, id, members) => ask('PUT', `/${type}/${id}`, { [type]: members }),
    make: (type, members) => ask('POST', `/${type}s`, { [type]: members }),
    remove: (type, id) => ask('DELETE', `/${type}/${id}`),
  };
}
