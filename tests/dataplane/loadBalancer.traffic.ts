import { describeRows } from './describeRows';
import { TABLE } from './table';

describeRows('load balancers', TABLE.loadBalancer, { vipCidr: '127.114.0.0/24' });
