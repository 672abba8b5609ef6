/** The flavor's word of which engine of a pair a load balancer is to be on; null: none. */
export function readSeTag(flavor: Readonly<Record<string, unknown>>): string | null {
  const tag = flavor['active_standby_se_tag'];
  return typeof tag === 'string' ? tag : null;
}
