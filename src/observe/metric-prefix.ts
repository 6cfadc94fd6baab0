/** Every metric of the gateway begins so (`dragonfly_<component>_` is how Dragonfly names its own). */
export const METRIC_PREFIX = 'dragonfly_manager_gateway_';
