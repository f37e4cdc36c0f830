'use strict';

var STATUS = {
    NEW: 'order.placed',
    OPEN: 'order.changed',
    COMPLETED: 'order.changed',
    CANCELLED: 'order.cancelled',
    REPLACED: 'order.cancelled',
    FAILED: 'order.failed'
};

/**
 * The thin body that names an order.
 *
 * @param {{number: string, status: string, site: string, changed: Date}} order - what is told
 * @param {string} id - of this delivery, the same on every try
 * @returns {string} JSON, byte for byte what is signed
 */
exports.body = function (order, id) {
    return JSON.stringify({
        event: STATUS[order.status] || 'order.changed',
        site_id: order.site,
        order_no: order.number,
        occurred_at: order.changed.toISOString(),
        delivery_id: id
    });
};

/**
 * The headers that prove a body.
 *
 * @param {string} body - as it is sent
 * @param {number} seconds - since the epoch
 * @param {function(string): string} hmac - HMAC-SHA256 with the shared secret, in lower-case hex
 * @returns {Object<string, string>} by name
 */
exports.headers = function (body, seconds, hmac) {
    return {
        'Content-Type': 'application/json',
        'X-Fizz-Timestamp': String(seconds),
        'X-Fizz-Signature': 'v1=' + hmac(seconds + '.' + body)
    };
};
