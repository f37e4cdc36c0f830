'use strict';

var CustomObjectMgr = require('dw/object/CustomObjectMgr');
var LocalServiceRegistry = require('dw/svc/LocalServiceRegistry');
var Logger = require('dw/system/Logger').getLogger('fizzbridge');
var Mac = require('dw/crypto/Mac');
var Encoding = require('dw/crypto/Encoding');
var OrderMgr = require('dw/order/OrderMgr');
var Site = require('dw/system/Site');
var Status = require('dw/system/Status');
var Transaction = require('dw/system/Transaction');
var UUIDUtils = require('dw/util/UUIDUtils');
var event = require('../event');

function place() {
    var id = Site.getCurrent().getID();
    return Transaction.wrap(function () {
        return (
            CustomObjectMgr.getCustomObject('FizzbridgePlace', id) ||
            CustomObjectMgr.createCustomObject('FizzbridgePlace', id)
        );
    });
}

function hmac(text) {
    var secret = Site.getCurrent().getCustomPreferenceValue('fizzbridgeSecret');
    return Encoding.toHex(new Mac(Mac.HMAC_SHA_256).digest(text, secret));
}

function post(body) {
    var service = LocalServiceRegistry.createService('fizzbridge.post', {
        createRequest: function (svc) {
            var seconds = Math.floor(Date.now() / 1000);
            var headers = event.headers(body, seconds, hmac);
            svc.setURL(Site.getCurrent().getCustomPreferenceValue('fizzbridgeUrl'));
            svc.setRequestMethod('POST');
            Object.keys(headers).forEach(function (name) {
                svc.addHeader(name, headers[name]);
            });
            return body;
        },
        parseResponse: function (svc, answer) {
            return answer.statusCode;
        },
        filterLogMessage: function () {
            return 'fizzbridge';
        }
    });
    return service.call().isOk();
}

/**
 * Post the number of every order changed since the last one that was accepted, oldest change first.
 *
 * @returns {dw.system.Status} ERROR when a post failed: the next run begins there
 */
exports.execute = function () {
    var kept = place();
    var since = kept.custom.since || new Date(0);
    var orders = OrderMgr.searchOrders('lastModified >= {0}', 'lastModified asc', since);
    var told = 0;
    try {
        while (orders.hasNext()) {
            var order = orders.next();
            var changed = order.getLastModified();
            var body = event.body(
                {
                    number: order.getOrderNo(),
                    status: order.getStatus().getDisplayValue(),
                    site: Site.getCurrent().getID(),
                    changed: changed
                },
                UUIDUtils.createUUID()
            );
            if (!post(body)) {
                Logger.warn('told {0}, then no answer', told);
                return new Status(Status.ERROR);
            }
            told += 1;
            Transaction.wrap(function () {
                // Orders of the same moment come again: better twice than never.
                kept.custom.since = changed;
            });
        }
    } finally {
        orders.close();
    }
    return new Status(Status.OK);
};
