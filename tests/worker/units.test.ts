import { readHint } from '../../driver/worker/units';

describe('readHint', () => {
  it.each([
    ['load_balancer', { id: 'lb' }, 'load_balancer lb'],
    ['engine', { id: 'e' }, 'engine e'],
  ])('reads %s', (method, args, key) => {
    expect(readHint({ method, args })).toEqual({ key, lane: undefined });
  });

  it.each([
    ['anything', { id: 'lb' }],
    ['load_balancer', {}],
    ['load_balancer', { id: 7 }],
    ['engine', { id: '' }],
  ])('makes nothing of %s with %j', (method, args) => {
    expect(readHint({ method, args })).toBeUndefined();
  });
});
