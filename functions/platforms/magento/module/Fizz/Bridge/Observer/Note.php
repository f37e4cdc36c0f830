<?php

declare(strict_types=1);

namespace Fizz\Bridge\Observer;

use Fizz\Bridge\Model\Outbox;
use Fizz\Bridge\Model\Settings;
use Magento\Framework\Event\Observer;
use Magento\Framework\Event\ObserverInterface;
use Magento\Framework\Model\AbstractModel;
use Psr\Log\LoggerInterface;

/**
 * Notes what was saved or deleted, in the same transaction.
 */
class Note implements ObserverInterface
{
    private const EVENTS = [
        'sales_order_save_after' => 'order.saved',
        'sales_order_invoice_save_after' => 'invoice.saved',
        'sales_order_creditmemo_save_after' => 'creditmemo.saved',
        'sales_order_shipment_save_after' => 'shipment.saved',
        'sales_order_shipment_track_save_after' => 'shipment.saved',
        'customer_save_after' => 'customer.saved',
        'customer_address_save_after' => 'customer.saved',
        'customer_address_delete_after' => 'customer.saved',
        'customer_delete_after' => 'customer.deleted',
        'company_save_after' => 'company.saved',
        'catalog_product_save_after' => 'product.saved',
        'catalog_product_delete_after' => 'product.deleted',
        'cataloginventory_stock_item_save_after' => 'stock.saved',
    ];

    /** Events of something inside what the bridge reads: the number is that of its parent. */
    private const INSIDE = [
        'sales_order_shipment_track_save_after',
        'customer_address_save_after',
        'customer_address_delete_after',
        'cataloginventory_stock_item_save_after',
    ];

    public function __construct(
        private Outbox $outbox,
        private Settings $settings,
        private LoggerInterface $logger
    ) {
    }

    public function execute(Observer $observer): void
    {
        $name = (string)$observer->getEvent()->getName();
        $saved = $observer->getEvent()->getData('data_object');
        if (!isset(self::EVENTS[$name]) || !$saved instanceof AbstractModel || !$this->settings->isEnabled()) {
            return;
        }
        $isInside = in_array($name, self::INSIDE, true);
        $id = $isInside ? $this->parentOf($saved) : (int)$saved->getId();
        if ($id === 0) {
            return;
        }
        $number = $isInside ? null : $saved->getData('increment_id');
        $updatedAt = $isInside ? null : $saved->getData('updated_at');
        try {
            $this->outbox->add(
                self::EVENTS[$name],
                $id,
                $number === null ? null : (string)$number,
                $updatedAt === null ? null : (string)$updatedAt
            );
        } catch (\Throwable $error) {
            // No order fails for the bridge's sake: its poll finds what was not noted.
            $this->logger->error('Fizz_Bridge: not noted', ['event' => $name, 'exception' => $error]);
        }
    }

    private function parentOf(AbstractModel $saved): int
    {
        // An address that was only just made knows its customer by another name.
        return (int)($saved->getData('parent_id') ?: $saved->getData('customer_id') ?: $saved->getData('product_id'));
    }
}
