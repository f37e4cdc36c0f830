'use strict';

/**
 * Runs inside the transaction that makes an order: it marks and never calls anybody, because an
 * error here would undo the order, and a slow answer would hold up the shopper.
 *
 * @param {dw.order.Order} order - the order that is being made
 */
exports.afterPOST = function (order) {
    order.setExportStatus(require('dw/order/Order').EXPORT_STATUS_READY);
};
