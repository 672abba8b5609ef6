import { readHint } from '../../driver/worker/units';

describe('readHint', () => {
  it('believes the sender who knows the load balancer', () => {
    expect(readHint({ method: 'update_listener', args: { x: 1 }, loadBalancerId: 'lb' })).toEqual({
      key: 'load_balancer lb',
      lane: undefined,
    });
  });

  it.each([
    ['load_balancer', { id: 'lb' }, 'load_balancer lb'],
    ['engine', { id: 'e' }, 'engine e'],
    ['create_load_balancer', { loadbalancer: { loadbalancer_id: 'lb' } }, 'load_balancer lb'],
    ['create_listener', { listener: { loadbalancer_id: 'lb', listener_id: 'l' } }, 'load_balancer lb'],
    ['failover_load_balancer', { load_balancer_id: 'lb' }, 'load_balancer lb'],
  ])('reads %s', (method, args, key) => {
    expect(readHint({ method, args })?.key).toBe(key);
  });

  it('takes the project for its lane, where the message names it', () => {
    const args = { loadbalancer: { loadbalancer_id: 'lb', project_id: 'p' } };
    expect(readHint({ method: 'create_load_balancer', args })?.lane).toBe('p');
  });

  it.each([
    ['anything', {}],
    ['load_balancer', { id: 7 }],
    ['create_member', { member: null }],
  ])('makes nothing of %s with %j', (method, args) => {
    expect(readHint({ method, args })).toBeUndefined();
  });
});
