/** An answer of the configuration API: JSON where it is some, else the text. */
export interface ContrailAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
  readonly body: any;
}

/** Calls of a configuration API, for tests: no more than `fetch` with the bodies read. */
export interface ContrailClient {
  call(method: string, path: string, body?: object): Promise<ContrailAnswer>;
  /** Makes an object and gives its uuid. @throws Error with the answer if that is no success */
  make(type: string, members: object): Promise<string>;
  /** `ref-update`. */
  link(
    operation: 'ADD' | 'DELETE',
    from: readonly [string, string],
    to: readonly [string, string],
  ): Promise<ContrailAnswer>;
}

export function contrailClient(url: string, token?: string): ContrailClient {
  const headers = { 'Content-Type': 'application/json', ...(token === undefined ? {} : { 'X-Auth-Token': token }) };
  const call = async (method: string, path: string, body?: object): Promise<ContrailAnswer> => {
    const answer = await fetch(`${url}${path}`, {
      ...{ method, headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: answer.status, body: isJson ? JSON.parse(text) : text };
  };
  return {
    call,
    async make(type, members) {
      const answer = await call('POST', `/${type}s`, { [type]: members });
      if (answer.status !== 200) throw new Error(`${type}: ${answer.status} ${answer.body}`);
      return answer.body[type].uuid;
    },
    link: (operation, [type, uuid], [refType, refUuid]) =>
      call('POST', '/ref-update', { type, uuid, 'ref-type': refType, 'ref-uuid': refUuid, operation, attr: null }),
  };
}
